// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tests.Tar;

/// <summary>Gives few bytes at a time, now and then asynchronously, as a network does.</summary>
internal sealed class PiecemealStream(byte[] content, int seed, int largestPiece) : Stream
{
    private readonly Random _random = new(seed);
    private int _position;

    /// <summary>Whether a read has reported the end.</summary>
    public bool EndSeen { get; private set; }

    public bool IsDisposed { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_random.Next(8) == 0)
        {
            await Task.Yield();
        }

        int length = Math.Min(Math.Min(buffer.Length, _random.Next(1, largestPiece + 1)), content.Length - _position);
        content.AsMemory(_position, length).CopyTo(buffer);
        _position += length;
        EndSeen |= length == 0 && !buffer.IsEmpty;
        return length;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
