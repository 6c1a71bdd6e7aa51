// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;

namespace OverlayBd.Conversion.Tar;

/// <summary>Decodes a gzip layer of any number of members, and notices when it was cut.</summary>
/// <remarks>The runtime's decoder reports a truncated member as a regular end. Therefore a member with known content is
/// appended to the layer: it comes out at the end exactly when the decoder was between two members before it. Bytes after
/// the last member that begin no other are ignored, as gzip does.</remarks>
internal sealed class GzipMembers : ForwardReadStream
{
    private static readonly byte[] s_endMark = [.. Enumerable.Repeat((byte)0xa5, 64)];
    private static readonly byte[] s_endMember = Compress(s_endMark);

    private readonly CompressedInput _input;
    private readonly GZipStream _decoder;
    private MemoryStream? _tail;

    /// <summary>Starts in front of the first member.</summary>
    /// <param name="input">The layer; not owned.</param>
    public GzipMembers(CompressedInput input)
    {
        _input = input;
        input.Append(s_endMember);
        _decoder = new GZipStream(input, CompressionMode.Decompress, leaveOpen: true);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_tail is not null || buffer.IsEmpty)
        {
            return _tail?.Read(buffer.Span) ?? 0;
        }

        try
        {
            int read = await _decoder.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (!_input.AppendixReached)
            {
                return read;
            }

            _tail = await ReadTailAsync(buffer[..read], cancellationToken).ConfigureAwait(false);
            return _tail.Read(buffer.Span);
        }
        catch (InvalidDataException exception) when (_input.AppendixReached)
        {
            throw new EndOfStreamException("a gzip member is incomplete", exception);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _decoder.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decoder.Dispose();
        }

        base.Dispose(disposing);
    }

    // All that is left once the layer's own bytes have been used up: little, the decoder asks for input only when it has
    // nothing to give.
    private async ValueTask<MemoryStream> ReadTailAsync(ReadOnlyMemory<byte> first, CancellationToken cancellationToken)
    {
        var tail = new MemoryStream();
        tail.Write(first.Span);
        byte[] buffer = new byte[4096];
        int read;
        while ((read = await _decoder.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) != 0)
        {
            tail.Write(buffer, 0, read);
        }

        if (!tail.GetBuffer().AsSpan(0, (int)tail.Length).EndsWith(s_endMark))
        {
            throw new EndOfStreamException("a gzip member is incomplete");
        }

        tail.SetLength(tail.Length - s_endMark.Length);
        tail.Position = 0;
        return tail;
    }

    private static byte[] Compress(byte[] content)
    {
        var compressed = new MemoryStream();
        using (var encoder = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            encoder.Write(content);
        }

        return compressed.ToArray();
    }
}
