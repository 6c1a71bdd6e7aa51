// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Text;

namespace OverlayBd.Format.Tar;

/// <summary>The content of a blob that is wrapped in a tar archive of one file, so that registries take it for an ordinary layer.</summary>
public sealed class TarBlobSource : BlockSource, IInvalidatable, IPrefetchable
{
    private readonly SliceBlockSource _content;

    private TarBlobSource(SliceBlockSource content, long contentOffset)
    {
        _content = content;
        ContentOffset = contentOffset;
    }

    /// <summary>Gets the length of the content, in bytes.</summary>
    public override long Length => _content.Length;

    /// <summary>Gets where the content starts, in bytes from the start of the archive: 1536, or 512 in the old layout without pax
    /// header.</summary>
    public long ContentOffset { get; }

    /// <summary>Gets whether bytes begin as a tar archive does that the original takes for a wrapper.</summary>
    /// <param name="bytes">The first bytes of a blob, at least 512 to be recognised.</param>
    /// <returns>Whether they are a POSIX tar record with a correct checksum.</returns>
    public static bool IsTar(ReadOnlySpan<byte> bytes) => TarBlobHeader.TryParse(bytes, out _);

    /// <summary>Opens the wrapper.</summary>
    /// <param name="source">The archive; owned by what is returned unless <paramref name="leaveOpen"/>. When opening fails, it stays the
    /// caller's.</param>
    /// <param name="name">What to call the blob in messages, such as the layer's digest.</param>
    /// <param name="leaveOpen">Whether disposing the content leaves the archive open.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The content.</returns>
    /// <exception cref="InvalidDataException">The bytes are no such archive, or the content is longer than the blob.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static async ValueTask<TarBlobSource> OpenAsync(
        BlockSource source, string name, bool leaveOpen = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        byte[] rented = ArrayPool<byte>.Shared.Rent(TarBlobConstants.PaxContentOffset);
        try
        {
            Memory<byte> records = rented.AsMemory(0, (int)Math.Min(TarBlobConstants.PaxContentOffset, source.Length));
            await source.ReadAsync(0, records, cancellationToken).ConfigureAwait(false);
            (int start, long length) = Parse(records.Span, name);
            if (length < 0 || length > source.Length - start)
            {
                throw new InvalidDataException(
                    $"Layer {name}: the tar wrapper says that {length} bytes follow byte {start}: expected 0 to {source.Length - start}.");
            }

            return new TarBlobSource(new SliceBlockSource(source, start, length, leaveOpen), start);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        _content.InvalidateAsync(offset, length, cancellationToken);

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        _content.PrefetchAsync(offset, length, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _content.ReadAsync(offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync() => _content.DisposeAsync();

    private static (int Start, long Length) Parse(ReadOnlySpan<byte> records, string name)
    {
        TarBlobHeader header = ParseRecord(records, name, 0);
        if (header.Type != TarBlobConstants.PaxType)
        {
            return (TarBlobConstants.PlainContentOffset, header.Size);
        }

        // The original looks for the content at a fixed place, so the pax data must fit one record.
        if (header.Size is < 1 or > TarBlobConstants.RecordLength)
        {
            throw new InvalidDataException(
                $"Layer {name}: the tar wrapper's pax header at byte 0 says {header.Size} bytes: expected 1 to "
                + $"{TarBlobConstants.RecordLength}.");
        }

        TarBlobHeader content = ParseRecord(records, name, 2 * TarBlobConstants.RecordLength);
        ReadOnlySpan<byte> pax = records.Slice(TarBlobConstants.RecordLength, (int)header.Size);
        return (TarBlobConstants.PaxContentOffset, ParsePaxSize(pax, name) ?? content.Size);
    }

    private static TarBlobHeader ParseRecord(ReadOnlySpan<byte> records, string name, int offset)
    {
        ReadOnlySpan<byte> record = records[Math.Min(offset, records.Length)..];
        if (!TarBlobHeader.TryParse(record, out TarBlobHeader header))
        {
            throw new InvalidDataException(
                $"Layer {name}: no tar record at byte {offset}: expected magic 'ustar', version '00' and a correct checksum, "
                + $"found {Convert.ToHexString(record[..Math.Min(16, record.Length)])}.");
        }

        return header;
    }

    /// <summary>Finds "LENGTH size=NUMBER\n" among the pax records.</summary>
    private static long? ParsePaxSize(ReadOnlySpan<byte> pax, string name)
    {
        int offset = TarBlobConstants.RecordLength;
        while (!pax.IsEmpty)
        {
            if (!Utf8Parser.TryParse(pax, out int length, out int digits) || length <= digits + 1 || length > pax.Length
                || pax[digits] != (byte)' ' || pax[length - 1] != (byte)'\n')
            {
                throw new InvalidDataException(
                    $"Layer {name}: malformed pax record at byte {offset}: expected 'LENGTH KEY=VALUE', "
                    + $"found {Convert.ToHexString(pax[..Math.Min(16, pax.Length)])}.");
            }

            ReadOnlySpan<byte> record = pax[(digits + 1)..(length - 1)];
            if (record.StartsWith("size="u8))
            {
                ReadOnlySpan<byte> value = record["size="u8.Length..];
                return Utf8Parser.TryParse(value, out long size, out int used) && used == value.Length
                    ? size
                    : throw new InvalidDataException($"Layer {name}: the pax record at byte {offset} says a size that is no number.");
            }

            pax = pax[length..];
            offset += length;
        }

        return null;
    }
}
