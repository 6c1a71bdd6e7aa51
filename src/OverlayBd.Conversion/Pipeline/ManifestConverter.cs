// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Converts one manifest: its layers, its config, and the manifest itself, which is pushed last.</summary>
internal sealed class ManifestConverter(ImageRepository source, ImageRepository target, ImageConverterOptions options)
{
    /// <summary>As many layers as one device can stack.</summary>
    private const int MaxLayers = 255;

    public async Task<ConvertedManifest> ConvertAsync(
        ManifestContent content, string? tag, IProgress<ConversionProgress>? progress, CancellationToken cancellationToken)
    {
        Manifest manifest = content.AsManifest()
            ?? throw new InvalidDataException(
                $"{source.Name}: {content.Descriptor.Digest} is no image manifest but {content.Descriptor.MediaType}.");
        ImageDocument config = await source.GetImageDocumentAsync(manifest, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SourceLayer> layers = Layers(content, manifest, config);
        bool oci = !MediaTypes.IsDocker(content.Descriptor.MediaType);

        DirectoryInfo work = CreateWorkDirectory();
        IReadOnlyList<Descriptor> converted;
        try
        {
            var builder = new LayerBuilder(options, work.FullName, oci);
            await using (builder.ConfigureAwait(false))
            {
                var pipeline = new LayerPipeline(
                    new LayerFetcher(source, work.FullName), builder, new LayerUploader(target), progress);
                converted = await pipeline.RunAsync(layers, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            work.Delete(recursive: true);
        }

        Descriptor pushed = await PushAsync(manifest, config, converted, oci, tag, cancellationToken).ConfigureAwait(false);
        return new ConvertedManifest(
            content.Descriptor, pushed, [.. layers.Zip(converted, (from, to) => new ConvertedLayer(from.Descriptor, to, from.ChainId))]);
    }

    private List<SourceLayer> Layers(ManifestContent content, Manifest manifest, ImageDocument config)
    {
        string image = $"{source.Name}: the image {content.Descriptor.Digest}";
        IReadOnlyList<Digest> diffIds = config.RootFs.DiffIds;
        if (manifest.Layers.Count == 0)
        {
            throw new InvalidDataException($"{image} has no layers.");
        }

        if (manifest.Layers.Count != diffIds.Count)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"{image} has {manifest.Layers.Count} layers, but its config names {diffIds.Count} diff ids."));
        }

        if (manifest.Layers.Count > MaxLayers)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"{image} has {manifest.Layers.Count} layers; an overlaybd image stacks {MaxLayers} at most."));
        }

        if (manifest.Layers.Any(layer => layer.Annotations?.ContainsKey(OverlayBdAnnotations.BlobDigest) == true))
        {
            throw new InvalidDataException($"{image} is an overlaybd image already.");
        }

        Digest[] chain = ChainId.Compute(diffIds);
        var layers = new List<SourceLayer>(chain.Length);
        for (int i = 0; i < chain.Length; i++)
        {
            string? parent = i == 0 ? null : layers[i - 1].Uuid;
            layers.Add(new SourceLayer(i, manifest.Layers[i], diffIds[i], chain[i], ChainId.ToLayerUuid(chain[i]), parent));
        }

        return layers;
    }

    private DirectoryInfo CreateWorkDirectory()
    {
        try
        {
            return options.WorkDirectory is string parent
                ? Directory.CreateDirectory(Path.Combine(parent, $"overlaybd-convert-{Guid.NewGuid():N}"))
                : Directory.CreateTempSubdirectory("overlaybd-convert-");
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"No work directory can be made: {error.Message}", error);
        }
    }

    private async Task<Descriptor> PushAsync(
        Manifest manifest,
        ImageDocument config,
        IReadOnlyList<Descriptor> layers,
        bool oci,
        string? tag,
        CancellationToken cancellationToken)
    {
        // The blobs are tars of their own, hence their digests are the diff ids too.
        ImageDocument newConfig = config with { RootFs = config.RootFs with { DiffIds = [.. layers.Select(layer => layer.Digest)] } };
        byte[] configBytes = OciJson.Write(newConfig);
        var configDescriptor = new Descriptor
        {
            MediaType = oci ? MediaTypes.OciConfig : MediaTypes.DockerConfig,
            Digest = Digest.Sha256(configBytes),
            Size = configBytes.Length,
        };
        await target.PushBlobAsync(
            configDescriptor,
            _ => new ValueTask<Stream>(new MemoryStream(configBytes, writable: false)),
            cancellationToken: cancellationToken)
            .ConfigureAwait(false);

        string mediaType = oci ? MediaTypes.OciManifest : MediaTypes.DockerManifest;
        Manifest newManifest = manifest with { MediaType = mediaType, Config = configDescriptor, Layers = layers };
        return await target.PushManifestAsync(OciJson.Write(newManifest), mediaType, tag, cancellationToken).ConfigureAwait(false);
    }
}
