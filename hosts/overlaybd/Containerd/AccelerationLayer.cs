// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>Puts a trace, or a list of files, on top of an image as a layer of its own.</summary>
internal sealed class AccelerationLayer(ContainerdConnection connection)
{
    /// <summary>The one entry of the layer's tar, where a backstore looks for it.</summary>
    private const string EntryName = "trace";

    private const string Yes = "yes";
    private const UnixFileMode ReadableByAll = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly ContainerdContent _content = new(connection);

    /// <summary>Stores the layer, the new config and the new manifest, and makes the image record.</summary>
    /// <param name="image">The image below.</param>
    /// <param name="name">What the new image is called.</param>
    /// <param name="tracePath">The trace, or the list of files; a tar of it is made beside it for the while.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The new manifest.</returns>
    public async Task<Descriptor> AddAsync(TracedImage image, string name, string tracePath, CancellationToken cancellationToken)
    {
        string tarPath = tracePath + ".tar";
        try
        {
            await WriteTarAsync(tracePath, tarPath, cancellationToken);
            Descriptor layer = await DescribeAsync(tarPath, image.FileSystemType, cancellationToken);
            await _content.WriteAsync(
                layer, _ => new ValueTask<Stream>(File.OpenRead(tarPath)), new Dictionary<string, string>(), null, cancellationToken);
            Descriptor manifest = await StoreDocumentsAsync(image, layer, cancellationToken);
            await new ContainerdImages(connection).StoreAsync(name, manifest, new Dictionary<string, string>(), cancellationToken);
            return manifest;
        }
        finally
        {
            File.Delete(tarPath);
        }
    }

    /// <summary>A tar that says nothing of times and owners: the same trace gives the same digest.</summary>
    private static async Task WriteTarAsync(string tracePath, string tarPath, CancellationToken cancellationToken)
    {
        await using FileStream trace = File.OpenRead(tracePath);
        await using FileStream file = new(tarPath, FileMode.CreateNew, FileAccess.Write);
        await using TarWriter tar = new(file, TarEntryFormat.Ustar);
        await tar.WriteEntryAsync(
            new UstarTarEntry(TarEntryType.RegularFile, EntryName)
            {
                Mode = ReadableByAll,
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = trace,
            },
            cancellationToken);
    }

    private static async Task<Descriptor> DescribeAsync(string path, string? fileSystemType, CancellationToken cancellationToken)
    {
        await using FileStream file = File.OpenRead(path);
        Digest digest = Digest.FromSha256(await SHA256.HashDataAsync(file, cancellationToken));
        Dictionary<string, string> annotations = new()
        {
            [OverlayBdAnnotations.Version] = OverlayBdAnnotations.NativeVersion,
            [OverlayBdAnnotations.BlobDigest] = digest.ToString(),
            [OverlayBdAnnotations.BlobSize] = file.Length.ToString(CultureInfo.InvariantCulture),
            [OverlayBdAnnotations.AccelerationLayer] = Yes,
        };
        if (!string.IsNullOrEmpty(fileSystemType))
        {
            annotations[OverlayBdAnnotations.BlobFileSystemType] = fileSystemType;
        }

        return new() { MediaType = MediaTypes.OciLayer, Digest = digest, Size = file.Length, Annotations = annotations };
    }

    private async Task<Descriptor> StoreDocumentsAsync(TracedImage image, Descriptor layer, CancellationToken cancellationToken)
    {
        string now = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        byte[] config = OciJson.Write(image.Document with
        {
            Created = now,
            RootFs = image.Document.RootFs with { DiffIds = [.. image.Document.RootFs.DiffIds, layer.Digest] },
            History = [.. image.Document.History ?? [], new() { Created = now, CreatedBy = "Acceleration Layer" }],
        });
        Descriptor configDescriptor = new()
        {
            MediaType = image.Manifest.Config.MediaType,
            Digest = Digest.Sha256(config),
            Size = config.Length,
        };
        await _content.WriteAsync(configDescriptor, config, new Dictionary<string, string>(), cancellationToken);

        Manifest manifest = image.Manifest with
        {
            MediaType = image.MediaType,
            Config = configDescriptor,
            Layers = [.. image.Manifest.Layers, layer],
        };
        byte[] document = OciJson.Write(manifest);
        Descriptor descriptor = new() { MediaType = image.MediaType, Digest = Digest.Sha256(document), Size = document.Length };
        await _content.WriteAsync(descriptor, document, GcLabels.Of(manifest), cancellationToken);
        return descriptor;
    }
}
