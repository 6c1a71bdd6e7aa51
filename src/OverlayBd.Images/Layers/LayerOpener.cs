// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Images.Layers;

/// <summary>Opens layers: from a local file if there is one, else from their repository, through the cache if there is one.</summary>
internal sealed class LayerOpener(BlockCache? cache, int maxConcurrentOpens, ILogger logger)
{
    /// <summary>Opens all layers, several at a time. When one fails, those already open are closed.</summary>
    /// <returns>The layers, in the order of their descriptions; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">A layer is malformed; the message names it.</exception>
    /// <exception cref="IOException">A layer cannot be read; the message names it.</exception>
    public async Task<ImageLayer[]> OpenAllAsync(IReadOnlyList<LayerDescription> descriptions, CancellationToken cancellationToken)
    {
        var layers = new ImageLayer?[descriptions.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = maxConcurrentOpens, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForAsync(0, descriptions.Count, parallel, async (i, token) =>
                layers[i] = await OpenAsync(descriptions[i], token).ConfigureAwait(false)).ConfigureAwait(false);
            return layers!;
        }
        catch
        {
            foreach (ImageLayer? layer in layers)
            {
                if (layer is not null)
                {
                    await layer.Blob.DisposeAsync().ConfigureAwait(false);
                }
            }

            throw;
        }
    }

    private async ValueTask<ImageLayer> OpenAsync(LayerDescription layer, CancellationToken cancellationToken)
    {
        Exception? localError = null;
        if (layer.Paths.FirstOrDefault(File.Exists) is string path)
        {
            try
            {
                return await OpenFileAsync(layer, path, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                if (layer.Digest is null || layer.Repository is null)
                {
                    throw LayerFailure.Wrap(layer, e);
                }

                ImageLog.LocalLayerFailed(logger, e, layer.Name, path);
                localError = e;
            }
        }

        try
        {
            return await OpenRemoteAsync(layer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw LayerFailure.Wrap(layer, e, localError);
        }
    }

    private async ValueTask<ImageLayer> OpenFileAsync(LayerDescription layer, string path, CancellationToken cancellationToken)
    {
        FileBlockSource file = FileBlockSource.Open(path);
        LayerBlob blob = await LayerBlob.OpenAsync(file, layer.Name, cancellationToken).ConfigureAwait(false);
        ImageLog.LayerOpened(logger, layer.Name, path);
        return new ImageLayer(blob, layer.Name, layer.Digest, file.Length, path, cached: null);
    }

    private async ValueTask<ImageLayer> OpenRemoteAsync(LayerDescription layer, CancellationToken cancellationToken)
    {
        if (layer.Digest is not Digest digest)
        {
            throw new FileNotFoundException(
                layer.Paths.Count == 0 ? "it has neither a file nor a digest" : $"none of {string.Join(", ", layer.Paths)} exists, and it has no digest");
        }

        if (layer.Repository is null)
        {
            throw new InvalidDataException("it is not local, and repoBlobUrl, which says where to fetch it, is empty");
        }

        if (layer.Size == 0)
        {
            throw new InvalidDataException("its size, without which a blob cannot be read, is not given");
        }

        ImageLog.LayerOpened(logger, layer.Name, layer.Repository.Name);
        BlockSource source = await OpenSourceAsync(layer, digest, cancellationToken).ConfigureAwait(false);
        LayerBlob blob;
        try
        {
            blob = await LayerBlob.OpenAsync(source, layer.Name, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // Damage on the way, perhaps of an earlier day and kept by the cache, looks the same as a malformed layer.
            ImageLog.LayerOpenedAgain(logger, e, layer.Name);
            source = await OpenSourceAsync(layer, digest, cancellationToken).ConfigureAwait(false);
            await ForgetAsync(source, cancellationToken).ConfigureAwait(false);
            blob = await LayerBlob.OpenAsync(source, layer.Name, cancellationToken).ConfigureAwait(false);
        }

        return new ImageLayer(blob, layer.Name, digest, source.Length, path: null, source as CachedBlockSource);
    }

    private async ValueTask<BlockSource> OpenSourceAsync(LayerDescription layer, Digest digest, CancellationToken cancellationToken)
    {
        var descriptor = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = digest, Size = layer.Size };
        BlockSource source = await layer.Repository!.OpenBlobSourceAsync(descriptor, cancellationToken).ConfigureAwait(false);
        try
        {
            if (source.Length != layer.Size)
            {
                throw new InvalidDataException($"the blob is {source.Length} bytes long in the repository, but {layer.Size} according to the manifest");
            }

            return cache?.Open(digest, source, layer.Name) ?? source;
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask ForgetAsync(BlockSource source, CancellationToken cancellationToken)
    {
        try
        {
            if (source is IInvalidatable kept)
            {
                await kept.InvalidateAsync(0, source.Length, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
