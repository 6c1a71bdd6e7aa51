// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <content>Images that differ from the converted one.</content>
public sealed partial class RunnableImage
{
    /// <summary>Pushes the converted image with another layer on top, as an image of its own.</summary>
    /// <param name="tag">Its tag.</param>
    /// <param name="path">The layer's blob, a tar.</param>
    /// <param name="isBlock">Whether it is an overlaybd layer.</param>
    /// <returns>The image's reference.</returns>
    internal async Task<string> ExtendAsync(string tag, string path, bool isBlock)
    {
        using RegistryClient client = new(new RegistryClientOptions());
        await using ImageRepository repository = ImageLocation.Parse($"docker://{Registry.Host}/{Repository}").Open(client);
        byte[] blob = await File.ReadAllBytesAsync(path);
        Descriptor layer = await PushBlobAsync(repository, blob, MediaTypes.OciLayer);
        ImageDocument document = await repository.GetImageDocumentAsync(Converted);
        document = document with { RootFs = document.RootFs! with { DiffIds = [.. document.RootFs.DiffIds!, layer.Digest] } };
        Manifest manifest = Converted with
        {
            Config = await PushBlobAsync(repository, OciJson.Write(document), MediaTypes.OciConfig),
            Layers = [.. Converted.Layers, isBlock ? layer with { Annotations = AnnotationsOf(layer) } : layer],
        };
        await repository.PushManifestAsync(OciJson.Write(manifest), MediaTypes.OciManifest, tag);
        return $"{Registry.Host}/{Repository}:{tag}";
    }

    /// <summary>Pushes the converted image with another command.</summary>
    /// <returns>The image's reference.</returns>
    internal async Task<string> PushVariantAsync(string tag, string[] command)
    {
        using RegistryClient client = new(new RegistryClientOptions());
        await using ImageRepository repository = ImageLocation.Parse($"docker://{Registry.Host}/{Repository}").Open(client);
        ImageDocument document = await repository.GetImageDocumentAsync(Converted);
        document = document with { Config = document.Config! with { Cmd = command } };
        Manifest manifest = Converted with { Config = await PushBlobAsync(repository, OciJson.Write(document), MediaTypes.OciConfig) };
        await repository.PushManifestAsync(OciJson.Write(manifest), MediaTypes.OciManifest, tag);
        return $"{Registry.Host}/{Repository}:{tag}";
    }

    private static Dictionary<string, string> AnnotationsOf(Descriptor layer) => new()
    {
        [OverlayBdAnnotations.BlobDigest] = layer.Digest.ToString(),
        [OverlayBdAnnotations.BlobSize] = $"{layer.Size}",
        [OverlayBdAnnotations.Version] = OverlayBdAnnotations.NativeVersion,
    };
}
