// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images.Layers;

/// <summary>The layers of an overlaybd image, as its manifest names them.</summary>
internal static class ManifestLayers
{
    /// <exception cref="InvalidDataException">The manifest is not that of an overlaybd image.</exception>
    /// <exception cref="NotSupportedException">It is that of a turboOCI image.</exception>
    public static List<LayerDescription> Describe(ImageRepository repository, Manifest manifest)
    {
        if (manifest.Layers.Count == 0)
        {
            throw new InvalidDataException($"{repository.Name}: the image has no layers.");
        }

        List<LayerDescription> layers = [];
        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            Descriptor layer = manifest.Layers[i];
            if (Annotation(layer, OverlayBdAnnotations.AccelerationLayer) == "yes" && i == manifest.Layers.Count - 1)
            {
                // It holds a trace, not a part of the disk.
                break;
            }

            layers.Add(Describe(repository, layer, i));
        }

        return layers;
    }

    /// <summary>The layer that holds a trace; null when the image has none.</summary>
    public static Descriptor? FindAcceleration(Manifest manifest) =>
        Annotation(manifest.Layers[^1], OverlayBdAnnotations.AccelerationLayer) == "yes" ? manifest.Layers[^1] : null;

    private static LayerDescription Describe(ImageRepository repository, Descriptor layer, int index)
    {
        string name = $"{layer.Digest} (layer {index} of {repository.Name})";
        if (Annotation(layer, OverlayBdAnnotations.TurboOciTargetDigest) is not null
            || Annotation(layer, OverlayBdAnnotations.FastOciTargetDigest) is not null)
        {
            throw new NotSupportedException($"Layer {name} is a turboOCI layer; only overlaybd layers can be opened.");
        }

        if (Annotation(layer, OverlayBdAnnotations.BlobDigest) is not string digest)
        {
            throw new InvalidDataException(
                $"Layer {name} has no annotation {OverlayBdAnnotations.BlobDigest} (its type is {layer.MediaType}): this is not an "
                + "overlaybd image; convert it first.");
        }

        if (digest != layer.Digest.ToString())
        {
            throw new InvalidDataException(
                $"Layer {name}: its annotation {OverlayBdAnnotations.BlobDigest} names another blob, '{digest}'.");
        }

        if (Annotation(layer, OverlayBdAnnotations.BlobSize) is string size
            && size != layer.Size.ToString(CultureInfo.InvariantCulture))
        {
            throw new InvalidDataException(
                $"Layer {name}: its annotation {OverlayBdAnnotations.BlobSize} says '{size}', the manifest {layer.Size} bytes.");
        }

        return new LayerDescription { Name = name, Digest = layer.Digest, Size = layer.Size, Repository = repository };
    }

    private static string? Annotation(Descriptor layer, string key) => layer.Annotations?.GetValueOrDefault(key);
}
