// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Pipeline;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;

namespace OverlayBd.Conversion;

/// <summary>Converts an OCI or docker image into an overlaybd image.</summary>
/// <remarks>
/// <para>Every layer becomes one block layer that holds what it changes of an ext4 file system, written without root rights,
/// mounts or other programs. The result depends on the source and on the options that say so, and on nothing else: the same
/// input gives the same digests, wherever and whenever it is converted.</para>
/// <para>Memory stays bounded whatever the size of the image. The converted layers lie in work files until the last one is built,
/// because each is built upon those below; an original layer and what is unpacked of it go as soon as it is built.</para>
/// <para>A failure leaves no tag; blobs that were uploaded before stay, and are found again by the next try.</para>
/// </remarks>
public static class ImageConverter
{
    /// <summary>Converts an image and tags the result.</summary>
    /// <param name="source">The repository with the original image; stays open.</param>
    /// <param name="sourceTagOrDigest">The image's tag or digest; <see langword="null"/> for the repository's own default.</param>
    /// <param name="target">The repository to push to, which may be the same; stays open.</param>
    /// <param name="targetTag">The tag of the result; <see langword="null"/> pushes by digest only.</param>
    /// <param name="options">How to convert; the defaults when <see langword="null"/>.</param>
    /// <param name="progress">Told of each stage of each layer, from several threads.</param>
    /// <param name="cancellationToken">Stops the conversion; work files are removed.</param>
    /// <returns>What was made, and which layer became which.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidDataException">The image is malformed, has been converted already, or has no such platform.</exception>
    /// <exception cref="RegistryException">A registry refused, or could not be reached.</exception>
    /// <exception cref="IOException">A work file could not be written, or the file system of the image is full.</exception>
    /// <exception cref="PlatformNotSupportedException">libext2fs is missing or of an unknown version.</exception>
    /// <exception cref="OperationCanceledException">The conversion was stopped.</exception>
    public static async Task<ConversionResult> ConvertAsync(
        ImageRepository source,
        string? sourceTagOrDigest,
        ImageRepository target,
        string? targetTag,
        ImageConverterOptions? options = null,
        IProgress<ConversionProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        options ??= new ImageConverterOptions();
        options.Validate();
        var converter = new ManifestConverter(source, target, options);
        if (options.AllPlatforms)
        {
            ManifestContent content = await source.GetManifestAsync(sourceTagOrDigest, cancellationToken).ConfigureAwait(false);
            if (content.AsIndex() is ImageIndex index)
            {
                var indexConverter = new IndexConverter(source, target, converter);
                return await indexConverter.ConvertAsync(index, content.Descriptor.MediaType, targetTag, progress, cancellationToken)
                    .ConfigureAwait(false);
            }
        }

        ManifestContent manifest = await PlatformManifest.ResolveAsync(source, sourceTagOrDigest, options.Platform, cancellationToken)
            .ConfigureAwait(false);
        ConvertedManifest converted = await converter.ConvertAsync(manifest, targetTag, progress, cancellationToken).ConfigureAwait(false);
        return new ConversionResult(converted.Converted, [converted]);
    }
}
