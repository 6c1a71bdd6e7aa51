// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>Pulls an image into containerd: its documents, its snapshots, and last its record.</summary>
internal sealed class ImagePuller(ContainerdConnection connection, ImageRepository source, ImageReference reference, string name)
{
    // As deep as indexes may name indexes.
    private const int MaxDepth = 3;

    private readonly ContainerdContent _content = new(connection);

    /// <returns>What the image record names.</returns>
    public async Task<Descriptor> PullAsync(PullOptions options, ProgressDisplay display, CancellationToken cancellationToken)
    {
        ContainerdSnapshots snapshots = new(connection, options.Snapshotter);
        await snapshots.ExistsAsync("overlaybd-rpull", cancellationToken); // tells a wrong snapshotter before anything is fetched

        ManifestContent root = await source.GetManifestAsync(reference.TagOrDigest, cancellationToken);
        ManifestContent image = await PlatformManifest.ResolveAsync(
            source, root.Descriptor.Digest.ToString(), options.Platform, cancellationToken);
        Manifest manifest = image.AsManifest() ?? throw new InvalidDataException($"{name} is {image.Descriptor.MediaType}, no image.");
        byte[] config = await source.ReadBlobAsync(manifest.Config, OciJson.MaxImageDocumentLength, cancellationToken);
        ImageDocument document = OciJson.ReadImageDocument(config, $"{name}: image document {manifest.Config.Digest}");
        IReadOnlyList<UnpackLayer> layers = UnpackLayer.Of(manifest, document, name);

        await StoreAsync(manifest.Config, config, [], cancellationToken);
        await StoreAsync(image.Descriptor, image.Content, GcLabels.Of(manifest), cancellationToken);
        await StoreIndexesAsync(root, 0, cancellationToken);

        await UnpackAsync(snapshots, layers, manifest.Config, options, display, cancellationToken);
        await new ContainerdImages(connection).StoreAsync(name, root.Descriptor, options.Labels, cancellationToken);
        return root.Descriptor;
    }

    private async Task UnpackAsync(
        ContainerdSnapshots snapshots,
        IReadOnlyList<UnpackLayer> layers,
        Descriptor config,
        PullOptions options,
        ProgressDisplay display,
        CancellationToken cancellationToken)
    {
        Dictionary<string, string> snapshotLabels = [];
        if (options.Remote)
        {
            snapshotLabels[SnapshotLabels.ImageReference] = name;
        }

        if (options.DownloadBlobs)
        {
            snapshotLabels[SnapshotLabels.DownloadRemoteBlob] = SnapshotLabels.Download;
        }

        await using LayerDownloads downloads = new(source, reference, _content, layers, display);
        LayerUnpacker unpacker = new(_content, snapshots, snapshotLabels);
        await unpacker.UnpackAsync(
            layers,
            config,
            downloads.FetchAsync,
            (layer, outcome) => display.Finish($"layer {layer.Position + 1} of {layers.Count}", Describe(layer, outcome, options)),
            cancellationToken);
    }

    /// <summary>The index that the name stands for, and those it names: it is the way from the name to the image.</summary>
    private async Task StoreIndexesAsync(ManifestContent content, int depth, CancellationToken cancellationToken)
    {
        if (depth == MaxDepth || content.AsIndex() is not { } index)
        {
            return;
        }

        foreach (Descriptor inner in index.Manifests.Where(entry => MediaTypes.IsIndex(entry.MediaType)))
        {
            ManifestContent below = await source.GetManifestAsync(inner.Digest.ToString(), cancellationToken);
            await StoreIndexesAsync(below, depth + 1, cancellationToken);
        }

        await StoreAsync(content.Descriptor, content.Content, GcLabels.Of(index), cancellationToken);
    }

    private async Task StoreAsync(
        Descriptor blob, ReadOnlyMemory<byte> document, Dictionary<string, string> labels, CancellationToken cancellationToken)
    {
        GcLabels.AddSource(labels, (await _content.FindAsync(blob.Digest, cancellationToken))?.Labels, reference);
        await _content.WriteAsync(blob, document, labels, cancellationToken);
    }

    private static string Describe(UnpackLayer layer, UnpackOutcome outcome, PullOptions options) => outcome switch
    {
        UnpackOutcome.WasThere => "there already",
        UnpackOutcome.Provided => "read from the registry when needed",
        _ when layer.IsRemote && options is { Remote: true, DownloadBlobs: false } =>
            $"fetched and unpacked, because {options.Snapshotter} does not read it from the registry",
        _ => "fetched and unpacked",
    };
}
