// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry;

/// <summary>Hashes what is read through it; the read that finds the end throws unless size and digest are the descriptor's.</summary>
internal sealed class VerifyingStream(Stream source, Descriptor blob, string name) : ReadOnlyStream
{
    private readonly IncrementalHash _hash = blob.Digest.CreateHash();
    private long _position;
    private bool _verified;

    public override long Length => blob.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException("The stream is read from its start to its end.");
    }

    /// <exception cref="InvalidDataException">The content is not the one the descriptor names.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _verified)
        {
            return 0;
        }

        int count = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _position += count;
        if (_position > blob.Size)
        {
            throw new InvalidDataException($"{name}: blob {blob.Digest} is longer than the {blob.Size} bytes of its descriptor.");
        }

        if (count > 0)
        {
            _hash.AppendData(buffer.Span[..count]);
            return count;
        }

        if (_position != blob.Size)
        {
            throw new InvalidDataException(
                $"{name}: blob {blob.Digest} ends at byte {_position}; its descriptor says {blob.Size}.");
        }

        byte[] hash = _hash.GetHashAndReset();
        if (!blob.Digest.MatchesHash(hash))
        {
            throw new InvalidDataException(
                $"{name}: the content is not that of its digest: expected {blob.Digest}, found "
                + $"{blob.Digest.Algorithm}:{Convert.ToHexStringLower(hash)}.");
        }

        _verified = true;
        return 0;
    }

    public override async ValueTask DisposeAsync()
    {
        await source.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            source.Dispose();
        }

        base.Dispose(disposing);
    }
}
