// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containerd.Api.ImagesV1;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>An overlaybd image of containerd that is to get an acceleration layer.</summary>
/// <param name="Name">Its name in containerd.</param>
/// <param name="MediaType">The type of its manifest.</param>
/// <param name="Manifest">Its manifest for this machine.</param>
/// <param name="Document">Its config.</param>
internal sealed record TracedImage(string Name, string MediaType, Manifest Manifest, ImageDocument Document)
{
    private const string Yes = "yes";

    /// <summary>The file system on its disk, as its top layer says; null when it says nothing.</summary>
    public string? FileSystemType => Manifest.Layers[^1].Annotations?.GetValueOrDefault(OverlayBdAnnotations.BlobFileSystemType);

    /// <exception cref="ContainerdException">There is no such image, or its documents are missing.</exception>
    /// <exception cref="CommandException">It is no overlaybd image, or has an acceleration layer already.</exception>
    public static async Task<TracedImage> OpenAsync(
        ContainerdConnection connection, string name, Platform? platform, CancellationToken cancellationToken)
    {
        Image record = await new ContainerdImages(connection).GetAsync(name, cancellationToken);
        await using ContainerdRepository repository = new(new(connection), ContainerdImages.Target(record));
        ManifestContent content = await PlatformManifest.ResolveAsync(repository, null, platform, cancellationToken);
        Manifest manifest = content.AsManifest() ?? throw new InvalidDataException($"{name} is {content.Descriptor.MediaType}, no image.");
        ImageDocument document = await repository.GetImageDocumentAsync(manifest, cancellationToken);
        IReadOnlyDictionary<string, string>? top = manifest.Layers is [.., { } layer] ? layer.Annotations : null;
        if (top?.ContainsKey(OverlayBdAnnotations.BlobDigest) != true)
        {
            throw new CommandException($"{name} is not an overlaybd image.", "overlaybd obdconv, then the image that makes.");
        }

        return top.GetValueOrDefault(OverlayBdAnnotations.AccelerationLayer) != Yes
            ? new(name, content.Descriptor.MediaType, manifest, document)
            : throw new CommandException($"{name} has an acceleration layer already.", "the image that it was made of.");
    }
}
