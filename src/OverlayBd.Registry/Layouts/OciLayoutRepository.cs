// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Layouts;

/// <summary>A directory in the OCI image layout (image specification, image-layout.md): oci-layout, index.json,
/// blobs/ALGORITHM/HEX.</summary>
/// <remarks>Every file appears whole or not at all. Names come from digests only, so that none leads out of the directory.</remarks>
internal sealed class OciLayoutRepository(string directory, string name) : ImageRepository
{
    private static readonly byte[] s_marker = Encoding.ASCII.GetBytes("{\"imageLayoutVersion\":\"1.0.0\"}");

    private readonly SemaphoreSlim _indexLock = new(1, 1); // one change of index.json at a time

    public override string Name => name;

    public override async Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default)
    {
        Descriptor? descriptor = LayoutIndex.Find(await ReadIndexAsync(cancellationToken).ConfigureAwait(false), tagOrDigest, Name);
        if (descriptor is null)
        {
            // A manifest that only another index of the layout refers to: its size is what its file has.
            Digest digest = Digest.Parse(tagOrDigest!);
            FileInfo file = FileOf(digest);
            descriptor = new Descriptor { MediaType = "application/octet-stream", Digest = digest, Size = file.Exists ? file.Length : 0 };
        }

        byte[] content = await ReadBlobAsync(descriptor, OciJson.MaxManifestLength, cancellationToken).ConfigureAwait(false);
        descriptor = new Descriptor
        {
            MediaType = ManifestMediaType.Find(descriptor.MediaType, content),
            Digest = descriptor.Digest,
            Size = descriptor.Size,
        };
        return new ManifestContent(descriptor, content, $"{Name}: manifest {descriptor.Digest}");
    }

    public override async Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        BlockSource source = await OpenBlobSourceAsync(blob, cancellationToken).ConfigureAwait(false);
        return new VerifyingStream(new BlockSourceStream(source), blob, Name);
    }

    public override ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        FileBlockSource source;
        try
        {
            source = FileBlockSource.Open(FileOf(blob.Digest).FullName);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RegistryException(RegistryError.NotFound, $"{Name} holds no blob {blob.Digest}.", innerException: error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new RegistryException(
                RegistryError.Forbidden, $"{Name}: blob {blob.Digest} may not be read: {error.Message}", innerException: error);
        }

        if (source.Length != blob.Size)
        {
            long length = source.Length;
            ValueTask closing = source.DisposeAsync();
            return new ValueTask<BlockSource>(CloseAndThrowAsync(
                closing, new InvalidDataException(
                    $"{Name}: blob {blob.Digest} has {length} bytes where its descriptor says {blob.Size}.")));
        }

        return new ValueTask<BlockSource>(source);
    }

    public override Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        FileInfo file = FileOf(blob.Digest);
        return Task.FromResult(file.Exists && file.Length == blob.Size);
    }

    public override async Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        if (await BlobExistsAsync(blob, cancellationToken).ConfigureAwait(false))
        {
            progress?.Report(blob.Size);
            return;
        }

        Stream content = await open(cancellationToken).ConfigureAwait(false);
        var verified = new VerifyingStream(content, blob, Name);
        await using (verified.ConfigureAwait(false))
        {
            await WriteAsync(
                FileOf(blob.Digest).FullName,
                async (file, token) =>
                {
                    byte[] buffer = new byte[128 * 1024];
                    int count;
                    while ((count = await verified.ReadAsync(buffer, token).ConfigureAwait(false)) > 0)
                    {
                        await file.WriteAsync(buffer.AsMemory(0, count), token).ConfigureAwait(false);
                        progress?.Report(verified.Position);
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> content, string mediaType, string? tag, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(mediaType);
        if (tag is not null && !ImageReference.IsTag(tag))
        {
            throw new ArgumentException($"'{Redaction.Clean(tag, 160)}' is not a tag.", nameof(tag));
        }

        var descriptor = new Descriptor { MediaType = mediaType, Digest = Digest.Sha256(content.Span), Size = content.Length };
        IReadOnlyList<Descriptor> children =
            MediaTypes.IsIndex(mediaType) ? OciJson.ReadIndex(content.Span, $"{Name}: index {descriptor.Digest}").Manifests : [];
        await _indexLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ImageIndex index = File.Exists(IndexPath) ? await ReadIndexAsync(cancellationToken).ConfigureAwait(false) : LayoutIndex.Empty;
            await WriteAsync(FileOf(descriptor.Digest).FullName, content, cancellationToken).ConfigureAwait(false);
            await WriteAsync(Path.Combine(directory, "oci-layout"), s_marker, cancellationToken).ConfigureAwait(false);
            byte[] changed = OciJson.Write(LayoutIndex.Add(index, descriptor, tag, children));
            await WriteAsync(IndexPath, changed, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _indexLock.Release();
        }

        return descriptor;
    }

    private string IndexPath => Path.Combine(directory, "index.json");

    private static async Task<BlockSource> CloseAndThrowAsync(ValueTask closing, Exception error)
    {
        await closing.ConfigureAwait(false);
        throw error;
    }

    private FileInfo FileOf(Digest digest) => new(Path.Combine(directory, "blobs", digest.Algorithm, digest.Hex));

    private async Task<ImageIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(IndexPath) is { Exists: true, Length: > OciJson.MaxManifestLength } file)
            {
                throw new InvalidDataException($"{IndexPath} has {file.Length} bytes; at most {OciJson.MaxManifestLength} are read.");
            }

            return OciJson.ReadIndex(await File.ReadAllBytesAsync(IndexPath, cancellationToken).ConfigureAwait(false), IndexPath);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RegistryException(
                RegistryError.NotFound, $"{Name} is not an OCI layout: {IndexPath} does not exist.", innerException: error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new RegistryException(RegistryError.Forbidden, $"{IndexPath} may not be read: {error.Message}", innerException: error);
        }
    }

    private Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        WriteAsync(path, (file, token) => file.WriteAsync(content, token).AsTask(), cancellationToken);

    private async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await DurableFile.WriteAsync(path, write, cancellationToken).ConfigureAwait(false);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new RegistryException(RegistryError.Forbidden, $"{Name} may not be written: {error.Message}", innerException: error);
        }
    }
}
