// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>A body of known length, taken from a stream, hashed and counted on its way.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int BufferSize = 128 * 1024;

    private readonly Stream _source;
    private readonly long _length;
    private readonly IncrementalHash _hash;
    private readonly Action<int> _sent;
    private readonly Action? _completing;
    private readonly Deadline _deadline;
    private readonly TimeSpan _stallLimit;

    /// <summary>Makes a body.</summary>
    /// <param name="source">Where the bytes come from; left open.</param>
    /// <param name="length">How many are taken.</param>
    /// <param name="hash">Gets each byte.</param>
    /// <param name="sent">Told how many more bytes went out.</param>
    /// <param name="completing">Runs before the last byte goes out; throwing there keeps the server from accepting the body. Null for
    /// nothing.</param>
    /// <param name="deadline">Restarted with each piece that goes out.</param>
    /// <param name="stallLimit">How long one piece may take.</param>
    public UploadContent(
        Stream source, long length, IncrementalHash hash, Action<int> sent, Action? completing, Deadline deadline, TimeSpan stallLimit)
    {
        _source = source;
        _length = length;
        _hash = hash;
        _sent = sent;
        _completing = completing;
        _deadline = deadline;
        _stallLimit = stallLimit;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        Headers.ContentLength = length;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long left = _length; left > 0;)
            {
                int count = await TakeAsync(
                    buffer.AsMemory(0, (int)Math.Min(left, BufferSize)), left, cancellationToken).ConfigureAwait(false);
                left -= count;
                if (left == 0)
                {
                    Complete();
                }

                _deadline.Restart(_stallLimit);
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                _sent(count);
            }

            if (_length == 0)
            {
                Complete();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<int> TakeAsync(Memory<byte> buffer, long left, CancellationToken cancellationToken)
    {
        // Reading is the source's business and may take its time: the limit is for the network.
        _deadline.Stop();
        try
        {
            int count = await _source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw new InvalidDataException($"The content ends {left} bytes before its descriptor says so.");
            }

            _hash.AppendData(buffer.Span[..count]);
            return count;
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new UploadSourceException(error);
        }
    }

    private void Complete()
    {
        try
        {
            _completing?.Invoke();
        }
        catch (InvalidDataException error)
        {
            throw new UploadSourceException(error);
        }
    }
}
