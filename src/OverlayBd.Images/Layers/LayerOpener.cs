// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Images.Downloading;
using OverlayBd.Images.Observation;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Images.Layers;

/// <summary>Opens layers: from a local file if there is one, else from their repository, through the cache if there is one.</summary>
internal sealed class LayerOpener(OverlayBdImageOptions options, TraceTap tap, ILogger logger)
{
    /// <summary>Opens all layers, several at a time. When one fails, those already open are closed.</summary>
    /// <returns>The layers, in the order of their descriptions; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">A layer is malformed; the message names it.</exception>
    /// <exception cref="IOException">A layer cannot be read; the message names it.</exception>
    public async Task<ImageLayer[]> OpenAllAsync(IReadOnlyList<LayerDescription> descriptions, CancellationToken cancellationToken)
    {
        var layers = new ImageLayer?[descriptions.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.MaxConcurrentOpens, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForAsync(0, descriptions.Count, parallel, async (i, token) =>
                layers[i] = await MeasureAsync(descriptions[i], i, token).ConfigureAwait(false)).ConfigureAwait(false);
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

    private async ValueTask<ImageLayer> MeasureAsync(LayerDescription layer, int index, CancellationToken cancellationToken)
    {
        Activity? activity = ImageTelemetry.StartLayerOpen(layer.Name);
        long started = options.TimeProvider.GetTimestamp();
        Exception? error = null;
        try
        {
            return await OpenAsync(layer, index, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e;
            throw;
        }
        finally
        {
            ImageTelemetry.LayerOpened(options.TimeProvider.GetElapsedTime(started), activity, error);
        }
    }

    private async ValueTask<ImageLayer> OpenAsync(LayerDescription layer, int index, CancellationToken cancellationToken)
    {
        Exception? localError = null;
        if (layer.Paths.FirstOrDefault(File.Exists) is string path)
        {
            try
            {
                return await OpenFileAsync(layer, index, path, cancellationToken).ConfigureAwait(false);
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
            return await OpenRemoteAsync(layer, index, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw LayerFailure.Wrap(layer, e, localError);
        }
    }

    private async ValueTask<ImageLayer> OpenFileAsync(LayerDescription layer, int index, string path, CancellationToken cancellationToken)
    {
        FileBlockSource file = FileBlockSource.Open(path);
        BlockSource observed = ObservedBlockSource.Wrap(file, path, options.Observer, options.TimeProvider);
        LayerBlob blob = await LayerBlob
            .OpenAsync(observed, layer.Name, bare => tap.Wrap(bare, index), cancellationToken).ConfigureAwait(false);
        ImageLog.LayerOpened(logger, layer.Name, path);
        return new ImageLayer(blob, layer.Name, layer.Digest, file.Length, path, cached: null);
    }

    private async ValueTask<ImageLayer> OpenRemoteAsync(LayerDescription layer, int index, CancellationToken cancellationToken)
    {
        if (layer.Digest is not Digest digest)
        {
            throw new FileNotFoundException(
                layer.Paths.Count == 0
                    ? "it has neither a file nor a digest"
                    : $"none of {string.Join(", ", layer.Paths)} exists, and it has no digest");
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
        DownloadTarget? download = DownloadOf(layer, digest, source);
        LayerBlob blob;
        try
        {
            blob = await LayerBlob.OpenAsync(download?.Source ?? source, layer.Name, Trace, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            // Damage on the way, perhaps of an earlier day and kept by the cache, looks the same as a malformed layer.
            ImageLog.LayerOpenedAgain(logger, e, layer.Name);
            source = await OpenSourceAsync(layer, digest, cancellationToken).ConfigureAwait(false);
            await ForgetAsync(source, cancellationToken).ConfigureAwait(false);
            download = DownloadOf(layer, digest, source);
            blob = await LayerBlob.OpenAsync(download?.Source ?? source, layer.Name, Trace, cancellationToken).ConfigureAwait(false);
        }

        return new ImageLayer(blob, layer.Name, digest, source.Length, path: null, source as CachedBlockSource, download);

        BlockSource Trace(BlockSource bare) => tap.Wrap(bare, index);
    }

    // What a layout or an archive on this machine hands out is local already.
    private static DownloadTarget? DownloadOf(LayerDescription layer, Digest digest, BlockSource source) =>
        layer.DownloadDirectory is null || IsLocal(source)
            ? null
            : new DownloadTarget(
                layer.Name, layer.DownloadDirectory, DescriptorOf(layer, digest), layer.Repository!, new SwitchableBlockSource(source));

    private static bool IsLocal(BlockSource source) => source is FileBlockSource or SliceBlockSource;

    private static Descriptor DescriptorOf(LayerDescription layer, Digest digest) =>
        new() { MediaType = MediaTypes.OciLayer, Digest = digest, Size = layer.Size };

    private async ValueTask<BlockSource> OpenSourceAsync(LayerDescription layer, Digest digest, CancellationToken cancellationToken)
    {
        BlockSource source = await layer.Repository!
            .OpenBlobSourceAsync(DescriptorOf(layer, digest), cancellationToken).ConfigureAwait(false);
        try
        {
            if (source.Length != layer.Size)
            {
                throw new InvalidDataException(
                    $"the blob is {source.Length} bytes long in the repository, but {layer.Size} according to the manifest");
            }

            // What a layout or an archive on this machine hands out is on disk already; a second copy would only take its place.
            return IsLocal(source) ? source : options.Cache?.Open(digest, source, layer.Name) ?? source;
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
