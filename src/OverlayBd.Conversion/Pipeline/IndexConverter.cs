// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Converts every image of an index, one after the other, and pushes an index of the results last.</summary>
internal sealed class IndexConverter(ImageRepository source, ImageRepository target, ManifestConverter manifestConverter)
{
    public async Task<ConversionResult> ConvertAsync(
        ImageIndex index, string mediaType, string? tag, IProgress<ConversionProgress>? progress, CancellationToken cancellationToken)
    {
        Descriptor[] images = [.. index.Manifests.Where(IsImage)];
        if (images.Length == 0)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{source.Name}: none of the {index.Manifests.Count} entries of the index is an image."));
        }

        var manifests = new List<ConvertedManifest>(images.Length);
        var entries = new List<Descriptor>(images.Length);
        foreach (Descriptor image in images)
        {
            ManifestContent content = await source.GetManifestAsync(image.Digest.ToString(), cancellationToken).ConfigureAwait(false);
            ConvertedManifest converted = await manifestConverter
                .ConvertAsync(content, null, progress, cancellationToken).ConfigureAwait(false);
            manifests.Add(converted);
            entries.Add(image with
            {
                MediaType = converted.Converted.MediaType,
                Digest = converted.Converted.Digest,
                Size = converted.Converted.Size,
            });
        }

        byte[] bytes = OciJson.Write(index with { Manifests = entries });
        Descriptor pushed = await target.PushManifestAsync(bytes, mediaType, tag, cancellationToken).ConfigureAwait(false);
        return new ConversionResult(pushed, manifests);
    }

    /// <summary>Attestations and the like stand in an index as manifests of an unknown platform, or with a reference type.</summary>
    private static bool IsImage(Descriptor entry) =>
        MediaTypes.IsManifest(entry.MediaType)
        && entry.Platform?.Os != "unknown"
        && entry.Annotations?.ContainsKey("vnd.docker.reference.type") != true;
}
