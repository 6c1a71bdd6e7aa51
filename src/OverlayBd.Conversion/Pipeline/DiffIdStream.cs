// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Passes a layer's tar through and hashes it, so that it can be checked against the image's diff id.</summary>
internal sealed class DiffIdStream(Stream tar) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads what the tar reader left, then compares the digest of the whole.</summary>
    /// <exception cref="InvalidDataException">The tar is not the one that the image's config names.</exception>
    public async Task VerifyAsync(SourceLayer layer, CancellationToken cancellationToken)
    {
        byte[] rest = new byte[64 * 1024];
        while (await ReadAsync(rest, cancellationToken).ConfigureAwait(false) > 0)
        {
        }

        Digest found = Digest.FromSha256(_hash.GetHashAndReset());
        if (found != layer.DiffId)
        {
            throw new InvalidDataException(
                $"{layer.Name}: its tar has the digest {found}; the image's config says {layer.DiffId}.");
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await tar.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _hash.AppendData(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = tar.Read(buffer, offset, count);
        _hash.AppendData(buffer.AsSpan(offset, read));
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            tar.Dispose();
        }

        base.Dispose(disposing);
    }
}
