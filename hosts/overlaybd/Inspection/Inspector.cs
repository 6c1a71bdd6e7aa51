// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Inspection;

/// <summary>Reads the headers of what an image is made of; of the data, nothing.</summary>
internal static class Inspector
{
    public static async Task<ImageReport> InspectAsync(OpenedRepository opened, CancellationToken cancellationToken)
    {
        (Descriptor descriptor, Manifest manifest) = await opened.FindManifestAsync(platform: null, cancellationToken);
        ImageDocument document = await opened.Repository.GetImageDocumentAsync(manifest, cancellationToken);
        LayerReport[] layers = await Task.WhenAll(
            manifest.Layers.Select(layer => InspectLayerAsync(opened, layer, cancellationToken)));
        return new()
        {
            Name = opened.Repository.Name,
            Digest = descriptor.Digest.ToString(),
            MediaType = descriptor.MediaType,
            Platform = document.Platform.ToString(),
            Created = document.Created,
            StoredSize = layers.Sum(layer => layer.StoredSize),
            Annotations = manifest.Annotations,
            Layers = layers,
            DiffIds = [.. document.RootFs.DiffIds.Select(digest => digest.ToString())],
        };
    }

    public static async Task<LayerReport> InspectFileAsync(string path, CancellationToken cancellationToken)
    {
        await using LayerBlob blob = await LayerBlob.OpenAsync(FileBlockSource.Open(path), path, cancellationToken);
        return LayerReport.Describe(blob, path, mediaType: null, annotations: null);
    }

    private static async Task<LayerReport> InspectLayerAsync(OpenedRepository opened, Descriptor layer, CancellationToken cancellationToken)
    {
        string digest = layer.Digest.ToString();
        if (layer.Annotations?.ContainsKey(OverlayBdAnnotations.BlobDigest) != true)
        {
            return new()
            {
                Name = digest,
                MediaType = layer.MediaType,
                StoredSize = layer.Size,
                Format = "tar",
                Annotations = layer.Annotations,
            };
        }

        BlockSource source = await opened.Repository.OpenBlobSourceAsync(layer, cancellationToken);
        await using LayerBlob blob = await LayerBlob.OpenAsync(source, digest, cancellationToken);
        return LayerReport.Describe(blob, digest, layer.MediaType, layer.Annotations);
    }
}
