// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Containerd.Api.ContentV1;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>An image of containerd's content store, and the place for what is made of it.</summary>
/// <remarks>
/// What is stored refers to what it needs by gc labels. A lease must hold it until the caller writes an image record that does.
/// </remarks>
internal sealed class ContainerdRepository(ContainerdContent content, Descriptor image) : ImageRepository
{
    private static readonly IReadOnlyDictionary<string, string> s_noLabels = new Dictionary<string, string>();

    public override string Name => $"containerd ({content.Connection.Namespace})";

    public override async Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default)
    {
        Descriptor descriptor = image;
        if (tagOrDigest is not null && tagOrDigest != image.Digest.ToString())
        {
            Digest digest = Digest.TryParse(tagOrDigest, out Digest parsed)
                ? parsed
                : throw new ArgumentException($"containerd's content has no tags, hence no '{tagOrDigest}'.", nameof(tagOrDigest));
            Info? info = await content.FindAsync(digest, cancellationToken);
            descriptor = new() { MediaType = MediaTypes.OciManifest, Digest = digest, Size = info?.Size ?? 0 };
        }

        byte[] bytes = await ReadBlobAsync(descriptor, OciJson.MaxManifestLength, cancellationToken);
        string mediaType = tagOrDigest is null || descriptor == image ? image.MediaType : ManifestDocument.MediaTypeOf(bytes);
        Descriptor found = new() { MediaType = mediaType, Digest = descriptor.Digest, Size = bytes.Length };
        return new(found, bytes, $"{Name}: manifest {descriptor.Digest}");
    }

    public override Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default) =>
        content.OpenAsync(blob, cancellationToken);

    public override async ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        await using Stream opened = await content.OpenAsync(blob, cancellationToken); // says what is missing
        return new ContentBlockSource(content, blob);
    }

    public override async Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default) =>
        await content.FindAsync(blob.Digest, cancellationToken) is { } info && info.Size == blob.Size;

    public override Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default) =>
        content.WriteAsync(blob, open, s_noLabels, progress, cancellationToken);

    public override async Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> document, string mediaType, string? tag, CancellationToken cancellationToken = default)
    {
        Descriptor descriptor = new() { MediaType = mediaType, Digest = Digest.Sha256(document.Span), Size = document.Length };
        Dictionary<string, string> labels = MediaTypes.IsIndex(mediaType)
            ? GcLabels.Of(OciJson.ReadIndex(document.Span, Name))
            : GcLabels.Of(OciJson.ReadManifest(document.Span, Name));
        await content.WriteAsync(descriptor, document, labels, cancellationToken);
        return descriptor;
    }
}
