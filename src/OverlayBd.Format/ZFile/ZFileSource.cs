// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Numerics;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>The uncompressed bytes of a ZFile: blocks of a fixed size, compressed one by one, found through a jump table.</summary>
/// <remarks>
/// <para>A read fetches the stored bytes of the blocks it touches, those that lie side by side at once, and decompresses whole blocks
/// straight into the caller's buffer. It completes synchronously and allocates nothing when the stored bytes are at hand.</para>
/// <para>A block that fails its checksum or does not decompress is forgotten by the source below, if that keeps copies
/// (<see cref="IInvalidatable"/>), and read once more before the read fails.</para>
/// </remarks>
public sealed partial class ZFileSource : BlockSource, IInvalidatable, IPrefetchable
{
    private readonly BlockSource _source;
    private readonly string _name;
    private readonly bool _leaveOpen;
    private readonly BlockCodec _codec;
    private readonly ZFileJumpTable _table;
    private readonly int _blockShift;

    // None for blocks that no reader asks less than one of.
    private readonly ZFileBlockCache? _cache;

    private ZFileSource(BlockSource source, string name, bool leaveOpen, ZFileHeader header, ZFileJumpTable table)
    {
        _source = source;
        _name = name;
        _leaveOpen = leaveOpen;
        _table = table;
        _codec = BlockCodec.For(header.Algorithm);
        _blockShift = BitOperations.Log2(header.BlockSize);
        _cache = BlockSize > ZFileConstants.DefaultBlockSize ? new ZFileBlockCache(BlockSize) : null;
        Length = header.Length;
        Algorithm = header.Algorithm;
        HasChecksums = header.HasChecksums;
        IsHeaderComplete = header.Has(ZFileHeaderFlags.HeaderOverwritten);
    }

    /// <summary>Gets the uncompressed length, in bytes.</summary>
    public override long Length { get; }

    /// <summary>Gets how the blocks are compressed.</summary>
    public CompressionAlgorithm Algorithm { get; }

    /// <summary>Gets the uncompressed length of a block, in bytes; only the last one may be shorter.</summary>
    public int BlockSize => 1 << _blockShift;

    /// <summary>Gets the number of blocks.</summary>
    public int BlockCount => _table.BlockCount;

    /// <summary>Gets the length of the stored file, in bytes, with whatever may follow it.</summary>
    public long StoredLength => _source.Length;

    /// <summary>Gets whether each block carries its checksum.</summary>
    public bool HasChecksums { get; }

    /// <summary>Gets whether the header alone says everything, so that the file may be followed by other bytes.</summary>
    public bool IsHeaderComplete { get; }

    /// <summary>Gets where a block is.</summary>
    /// <param name="index">The block's number, from 0.</param>
    /// <returns>Its place, uncompressed and stored.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    public ZFileBlock GetBlock(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, BlockCount);
        return new ZFileBlock(
            index, (long)index << _blockShift, LengthOf(index), _table.StartOf(index), _table.StoredLengthOf(index));
    }

    /// <summary>Lists every block, first to last.</summary>
    /// <returns>The places of the blocks.</returns>
    public IEnumerable<ZFileBlock> EnumerateBlocks()
    {
        for (int i = 0; i < BlockCount; i++)
        {
            yield return GetBlock(i);
        }
    }

    /// <summary>Reads, checks and decompresses every block.</summary>
    /// <param name="progress">Told the number of uncompressed bytes that were found good so far.</param>
    /// <param name="cancellationToken">Abandons the verification.</param>
    /// <returns>A task that completes when every block was found good.</returns>
    /// <exception cref="InvalidDataException">A block is bad; the message names the first one.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="ObjectDisposedException">The source has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The verification was abandoned.</exception>
    public async Task VerifyAsync(IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(WindowLength);
        try
        {
            for (long offset = 0; offset < Length;)
            {
                int count = (int)Math.Min(WindowLength, Length - offset);
                await FetchAsync(offset, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                offset += count;
                progress?.Report(offset);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        (long start, long storedLength) = StoredRange(offset, length);
        _cache?.Clear();
        return _source is IInvalidatable source && storedLength > 0
            ? source.InvalidateAsync(start, storedLength, cancellationToken)
            : new(false);
    }

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        (long start, long storedLength) = StoredRange(offset, length);
        return _source is IPrefetchable source && storedLength > 0
            ? source.PrefetchAsync(start, storedLength, cancellationToken)
            : default;
    }

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync() => _leaveOpen ? ValueTask.CompletedTask : _source.DisposeAsync();

    private int LengthOf(int block) => (int)Math.Min(BlockSize, Length - ((long)block << _blockShift));

    private (long Start, long Length) StoredRange(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        if (length == 0)
        {
            return default;
        }

        long start = _table.StartOf((int)(offset >> _blockShift));
        return (start, _table.StartOf((int)((offset + length - 1) >> _blockShift) + 1) - start);
    }
}
