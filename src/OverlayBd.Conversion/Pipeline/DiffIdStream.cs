// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Conversion.Tar;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Passes a layer's tar through and hashes it, so that it can be checked against the image's diff id.</summary>
internal sealed class DiffIdStream(Stream tar) : ForwardReadStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

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
