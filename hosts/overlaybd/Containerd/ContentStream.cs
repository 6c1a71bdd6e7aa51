// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ContentV1;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>A blob of containerd's store from its start to its end; the read that finds the end checks size and digest.</summary>
internal sealed class ContentStream(ContainerdContent content, Descriptor blob) : Stream
{
    private readonly IncrementalHash _hash = blob.Digest.CreateHash();
    private AsyncServerStreamingCall<ReadContentResponse>? _call;
    private ReadOnlyMemory<byte> _pending;
    private long _position;
    private bool _isVerified;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException("The stream is read from its start to its end.");
    }

    /// <exception cref="InvalidDataException">The content is not the one that the descriptor names.</exception>
    /// <exception cref="ContainerdException">containerd does not give the blob.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _isVerified)
        {
            return 0;
        }

        if (_pending.IsEmpty && !await NextAsync(cancellationToken))
        {
            Verify();
            return 0;
        }

        int count = Math.Min(buffer.Length, _pending.Length);
        _pending[..count].CopyTo(buffer);
        _hash.AppendData(_pending.Span[..count]);
        _pending = _pending[count..];
        _position += count;
        return _position <= blob.Size
            ? count
            : throw new InvalidDataException($"containerd's blob {blob.Digest} is longer than the {blob.Size} bytes of its descriptor.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("The stream is read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The stream cannot seek.");

    public override void SetLength(long value) => throw new NotSupportedException("The stream is read-only.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The stream is read-only.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _call?.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (blob.Size == 0)
        {
            return false;
        }

        try
        {
            _call ??= content.Client.Read(new() { Digest = blob.Digest.ToString() }, content.Connection.Options(CancellationToken.None));
            while (await _call.ResponseStream.MoveNext(cancellationToken))
            {
                _pending = _call.ResponseStream.Current.Data.Memory;
                if (!_pending.IsEmpty)
                {
                    return true;
                }
            }

            return false;
        }
        catch (RpcException e)
        {
            throw content.Connection.Failure(e, $"read the blob {blob.Digest}", cancellationToken);
        }
    }

    private void Verify()
    {
        if (_position != blob.Size || !blob.Digest.MatchesHash(_hash.GetHashAndReset()))
        {
            throw new InvalidDataException($"containerd's blob {blob.Digest} is not what its digest names; {_position} bytes were read.");
        }

        _isVerified = true;
    }
}
