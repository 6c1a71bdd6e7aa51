// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Layouts;

/// <summary>The OCI image layout inside a tar file, read in place.</summary>
internal sealed class ArchivedLayout(ArchiveFile archive, string name) : IAsyncDisposable
{
    public async Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken)
    {
        ImageIndex index = OciJson.ReadIndex(
            await ReadAsync("index.json", OciJson.MaxManifestLength, cancellationToken).ConfigureAwait(false), $"{name}: index.json");
        Digest digest = LayoutIndex.Find(index, tagOrDigest, name) is Descriptor found ? found.Digest : Digest.Parse(tagOrDigest!);
        string? stated = index.Manifests.FirstOrDefault(manifest => manifest.Digest == digest)?.MediaType;
        byte[] content = await ReadAsync(PathOf(digest), OciJson.MaxManifestLength, cancellationToken).ConfigureAwait(false);
        if (!digest.Matches(content))
        {
            throw new InvalidDataException(
                $"{name}: the content is not that of its digest: expected {digest}, found {Digest.Sha256(content)}.");
        }

        var descriptor = new Descriptor { MediaType = ManifestMediaType.Find(stated, content), Digest = digest, Size = content.Length };
        return new ManifestContent(descriptor, content, $"{name}: manifest {digest}");
    }

    public bool Contains(Descriptor blob) => archive.Open(PathOf(blob.Digest)) is BlockSource source && source.Length == blob.Size;

    /// <exception cref="RegistryException">There is no such blob.</exception>
    /// <exception cref="InvalidDataException">Its size is another one.</exception>
    public BlockSource OpenBlob(Descriptor blob)
    {
        BlockSource source = archive.Open(PathOf(blob.Digest)) ?? throw NotFound(PathOf(blob.Digest));
        return source.Length == blob.Size
            ? source
            : throw new InvalidDataException(
                $"{name}: blob {blob.Digest} has {source.Length} bytes where its descriptor says {blob.Size}.");
    }

    public ValueTask DisposeAsync() => archive.DisposeAsync();

    private static string PathOf(Digest digest) => $"blobs/{digest.Algorithm}/{digest.Hex}";

    private async Task<byte[]> ReadAsync(string path, int limit, CancellationToken cancellationToken)
    {
        BlockSource source = archive.Open(path) ?? throw NotFound(path);
        await using (source.ConfigureAwait(false))
        {
            if (source.Length > limit)
            {
                throw new InvalidDataException($"{name}: {path} has {source.Length} bytes; at most {limit} are read.");
            }

            byte[] content = new byte[source.Length];
            await source.ReadAsync(0, content, cancellationToken).ConfigureAwait(false);
            return content;
        }
    }

    private RegistryException NotFound(string path) => new(RegistryError.NotFound, $"{name} holds no {path}.");
}
