// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry;

/// <summary>Where an image's manifests and blobs are: one repository of a registry, or one OCI layout.</summary>
/// <remarks>
/// Instances are safe for concurrent use. Content is checked against the digest and the size it was asked by;
/// what does not match never passes silently.
/// </remarks>
public abstract class ImageRepository : IAsyncDisposable
{
    /// <summary>Gets what the repository is called in messages, such as <c>registry.example/team/app</c>. It holds no secret.</summary>
    public abstract string Name { get; }

    /// <summary>Fetches a manifest or an index.</summary>
    /// <param name="tagOrDigest">The tag or digest; <see langword="null"/> for the tag <c>latest</c>, or the only image of a
    /// layout.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The manifest, whose digest has been checked when it was asked by digest.</returns>
    /// <exception cref="ArgumentException"><paramref name="tagOrDigest"/> is neither a tag nor a digest.</exception>
    /// <exception cref="RegistryException">There is no such manifest, or the registry cannot be asked.</exception>
    /// <exception cref="InvalidDataException">The manifest is not what its digest names, or too long.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default);

    /// <summary>Opens a blob to read it once, from its start to its end.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>
    /// A stream of exactly <see cref="Descriptor.Size"/> bytes; the caller disposes it. Its last read throws
    /// <see cref="InvalidDataException"/> when the bytes are not what the digest names, hence nothing may be trusted before that read
    /// returned 0.
    /// </returns>
    /// <exception cref="RegistryException">There is no such blob, or the registry cannot be asked.</exception>
    /// <exception cref="InvalidDataException">The blob's size is not the descriptor's.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default);

    /// <summary>Opens a blob to read ranges of it. Nothing is cached.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>
    /// A source of <see cref="Descriptor.Size"/> bytes; the caller disposes it, and the repository stays in use until then.
    /// Ranges cannot be checked against the digest.
    /// </returns>
    /// <exception cref="RegistryException">There is no such blob, or the registry cannot be asked. A registry is asked at the first read
    /// only.</exception>
    /// <exception cref="InvalidDataException">The blob's size is not the descriptor's.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default);

    /// <summary>Asks whether a blob is there.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>Whether a blob of this digest, and of this size as far as that is told, is there.</returns>
    /// <exception cref="RegistryException">The registry cannot be asked.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default);

    /// <summary>Stores a blob, unless it is there already.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="open">
    /// Opens the blob's content at its start; the stream is disposed here. It is called again when an upload has to start anew,
    /// and not at all when the blob is there.
    /// </param>
    /// <param name="mountFrom">Another repository of the same registry that may have the blob, or <see langword="null"/>.</param>
    /// <param name="progress">Told the number of bytes stored so far, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Abandons the call; nothing incomplete becomes visible.</param>
    /// <returns>A task that completes when the blob is stored.</returns>
    /// <exception cref="RegistryException">The registry refuses the blob, or cannot be asked.</exception>
    /// <exception cref="InvalidDataException">The content is not what the descriptor names.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Stores a manifest or an index. What it refers to must be there.</summary>
    /// <param name="content">The document.</param>
    /// <param name="mediaType">The document's type.</param>
    /// <param name="tag">The tag it gets, or <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The document's descriptor.</returns>
    /// <exception cref="ArgumentException"><paramref name="tag"/> is not a tag.</exception>
    /// <exception cref="RegistryException">The registry refuses the manifest, or cannot be asked.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public abstract Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> content, string mediaType, string? tag, CancellationToken cancellationToken = default);

    /// <summary>Has a registry that cannot be reached told of at once instead of after more tries, until the result is
    /// disposed.</summary>
    /// <returns>What ends it; scopes may overlap.</returns>
    /// <remarks>
    /// For who waits to learn whether something is there, such as the opening of an image: a wrong address, or a registry that is down,
    /// does not mend within a few seconds. A registry that answers, however badly, is tried as often as ever; so is one that goes
    /// away while an image is read, where the reader wants bytes.
    /// </remarks>
    public virtual IDisposable FailFast() => Nothing.Instance;

    /// <summary>Finishes writing. An OCI archive is written now; elsewhere there is nothing left to do.</summary>
    /// <param name="cancellationToken">Abandons the call; there is no archive then, or the earlier one.</param>
    /// <returns>A task that completes when everything stored is where it was asked to be.</returns>
    /// <exception cref="IOException">The archive cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public virtual Task CompleteAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Reads a small blob whole, checking its digest.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="limit">The most bytes that are read.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The blob's bytes.</returns>
    /// <exception cref="InvalidDataException">The blob is longer than <paramref name="limit"/>, or not what its digest names.</exception>
    /// <exception cref="RegistryException">There is no such blob, or the registry cannot be asked.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public async Task<byte[]> ReadBlobAsync(Descriptor blob, int limit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        if (blob.Size > limit)
        {
            throw new InvalidDataException($"{Name}: blob {blob.Digest} has {blob.Size} bytes; at most {limit} are read.");
        }

        Stream stream = await OpenBlobAsync(blob, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            byte[] content = new byte[blob.Size];
            await stream.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
            // The read that finds the end is the one that checks the digest.
            _ = await stream.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false);
            return content;
        }
    }

    /// <summary>Reads the document that a manifest calls its config.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The document.</returns>
    /// <exception cref="InvalidDataException">The document is too long, malformed, or not what its digest names.</exception>
    /// <exception cref="RegistryException">There is no such document, or the registry cannot be asked.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public async Task<ImageDocument> GetImageDocumentAsync(Manifest manifest, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        byte[] content = await ReadBlobAsync(manifest.Config, OciJson.MaxImageDocumentLength, cancellationToken).ConfigureAwait(false);
        return OciJson.ReadImageDocument(content, $"{Name}: image document {manifest.Config.Digest}");
    }

    /// <summary>Releases the repository. Calling it again does nothing.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await ReleaseAsync().ConfigureAwait(false);
    }

    /// <summary>Releases what the repository owns; may be called more than once.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    protected virtual ValueTask ReleaseAsync() => ValueTask.CompletedTask;

    // What is on this machine is never out of reach.
    private sealed class Nothing : IDisposable
    {
        public static readonly Nothing Instance = new();

        public void Dispose()
        {
        }
    }
}
