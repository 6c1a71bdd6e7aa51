// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;

namespace OverlayBd.Conversion.Tar;

/// <summary>A forward-only stream read in pieces of a known size, with one block of foresight.</summary>
internal sealed class TarInput(Stream stream)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>Gets the offset of the next byte that a caller takes, in bytes from the start of the archive.</summary>
    public long Position { get; private set; }

    /// <summary>Buffers up to <paramref name="length"/> bytes, at most 32 KiB, without taking them.</summary>
    /// <returns>The bytes, fewer only where the stream ends; valid until the next call.</returns>
    public ValueTask<ReadOnlyMemory<byte>> PeekAsync(int length, CancellationToken cancellationToken)
        => _end - _start >= length || _ended
            ? new(_buffer.AsMemory(_start, Math.Min(length, _end - _start)))
            : FillAsync(length, cancellationToken);

    /// <summary>Takes bytes that were peeked.</summary>
    public void Advance(int length)
    {
        _start += length;
        Position += length;
    }

    /// <summary>Takes some bytes, at least one unless the stream ends or <paramref name="buffer"/> is empty.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int buffered = Math.Min(_end - _start, buffer.Length);
        if (buffered > 0)
        {
            _buffer.AsMemory(_start, buffered).CopyTo(buffer);
            Advance(buffered);
            return new(buffered);
        }

        return buffer.IsEmpty || _ended ? new(0) : ReadMoreAsync(buffer, cancellationToken);
    }

    /// <summary>Takes bytes until <paramref name="buffer"/> is full or the stream ends.</summary>
    /// <returns>The number of bytes taken.</returns>
    public async ValueTask<int> ReadFullyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int total = 0;
        int read;
        while (total < buffer.Length && (read = await ReadAsync(buffer[total..], cancellationToken).ConfigureAwait(false)) != 0)
        {
            total += read;
        }

        return total;
    }

    /// <summary>Takes and forgets <paramref name="length"/> bytes.</summary>
    /// <returns>The number of bytes there were, fewer only where the stream ends.</returns>
    public async ValueTask<long> SkipAsync(long length, CancellationToken cancellationToken)
    {
        long rest = length;
        while (rest > 0)
        {
            int step = (int)Math.Min(_end - _start, rest);
            if (step == 0 && (step = (int)Math.Min((await PeekAsync(1, cancellationToken).ConfigureAwait(false)).Length, rest)) == 0)
            {
                break;
            }

            Advance(step);
            rest -= step;
        }

        return length - rest;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> FillAsync(int length, CancellationToken cancellationToken)
    {
        if (_buffer.Length - _start < length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < length)
        {
            if (_start == _end)
            {
                _start = _end = 0;
            }

            int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                _ended = true;
                break;
            }

            _end += read;
        }

        return _buffer.AsMemory(_start, Math.Min(length, _end - _start));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadMoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.Length < _buffer.Length)
        {
            await FillAsync(1, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        int read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _ended = read == 0;
        Position += read;
        return read;
    }
}
