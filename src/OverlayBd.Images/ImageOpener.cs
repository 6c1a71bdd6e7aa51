// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Images.Layers;
using OverlayBd.Images.Observation;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;

namespace OverlayBd.Images;

/// <summary>Puts an image together: opens its layers, stacks them, puts a writable layer on top. What was opened is closed when a later
/// step fails.</summary>
internal sealed class ImageOpener
{
    private readonly OverlayBdImageOptions _options;
    private readonly ILogger _logger;
    private readonly LayerOpener _layers;
    private readonly TraceTap _tap = new();

    public ImageOpener(OverlayBdImageOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConcurrentOpens, 1);
        _options = options;
        _logger = options.LoggerFactory?.CreateLogger<OverlayBdImage>() ?? (ILogger)NullLogger.Instance;
        _layers = new LayerOpener(options, _tap, _logger);
    }

    public Task<OverlayBdImage> OpenAsync(ImageRepository repository, Manifest manifest, CancellationToken cancellationToken) =>
        MeasureAsync(() => OpenManifestAsync(repository, manifest, cancellationToken));

    public async Task<OverlayBdImage> OpenAsync(DeviceConfig config, CancellationToken cancellationToken)
    {
        try
        {
            OverlayBdImage image = await MeasureAsync(() => OpenConfigAsync(config, cancellationToken)).ConfigureAwait(false);
            await ResultFile.WriteAsync(config.ResultFile, failure: null, _logger).ConfigureAwait(false);
            return image;
        }
        catch (Exception e)
        {
            await ResultFile.WriteAsync(config.ResultFile, e, _logger).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<OverlayBdImage> MeasureAsync(Func<Task<OverlayBdImage>> open)
    {
        Activity? activity = ImageTelemetry.StartImageOpen();
        long started = _options.TimeProvider.GetTimestamp();
        try
        {
            OverlayBdImage image = await open().ConfigureAwait(false);
            activity?.SetTag("overlaybd.image", image.ToString());
            ImageTelemetry.ImageOpened(_options.TimeProvider.GetElapsedTime(started), activity, error: null);
            return image;
        }
        catch (Exception e)
        {
            ImageTelemetry.ImageOpened(_options.TimeProvider.GetElapsedTime(started), activity, e);
            throw;
        }
    }

    private async Task<OverlayBdImage> OpenManifestAsync(ImageRepository repository, Manifest manifest, CancellationToken cancellationToken)
    {
        using IDisposable urgent = repository.FailFast(); // somebody waits for this device
        TraceRecorder? recorder = _options.RecordTracePath is string record ? StartTrace(record, useMarkerFiles: false) : null;
        try
        {
            List<LayerDescription> layers = ManifestLayers.Describe(repository, manifest);
            OverlayBdImage image = await OpenAsync(repository.Name, layers, _options.WritableUpper, repository: null, cancellationToken)
                .ConfigureAwait(false);
            if (_options.ReplayTracePath is string replay)
            {
                image.StartReplay($"'{replay}'", token => TraceSetup.ReadAsync(replay, token));
            }
            else if (ManifestLayers.FindAcceleration(manifest) is Descriptor acceleration)
            {
                image.StartReplay(acceleration.Digest.ToString(), token => TraceLayer.ReadAsync(repository, acceleration, token));
            }

            return image;
        }
        catch when (recorder is not null)
        {
            await recorder.AbandonAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<OverlayBdImage> OpenConfigAsync(DeviceConfig config, CancellationToken cancellationToken)
    {
        TraceSetup own = TraceSetup.Of(config, _logger);
        var trace = new TraceSetup(_options.RecordTracePath ?? own.RecordPath, _options.ReplayTracePath ?? own.ReplayPath);
        DownloadConfig? download = trace.RecordPath is null ? config.Download ?? _options.Download : null;
        WritableUpper? upper = _options.WritableUpper
            ?? (config.Upper is { Data: string data, Index: string index } ? new WritableUpper(data, index) : null);
        ImageRepository? repository = OpenRepository(config);
        using IDisposable? urgent = repository?.FailFast();
        TraceRecorder? recorder = null;
        try
        {
            recorder = trace.RecordPath is null ? null : StartTrace(trace.RecordPath, useMarkerFiles: _options.RecordTracePath is null);
            List<LayerDescription> layers = DeviceConfigLayers.Describe(config, repository);
            string name = repository?.Name ?? (layers.Count > 0 ? layers[^1].Name : upper?.DataPath ?? "device");
            if (download is not { Enable: true })
            {
                layers = [.. layers.Select(layer => layer with { DownloadDirectory = null })];
            }

            OverlayBdImage image = await OpenAsync(name, layers, upper, repository, cancellationToken).ConfigureAwait(false);
            if (trace.ReplayPath is string path)
            {
                image.StartReplay($"'{path}'", token => TraceSetup.ReadAsync(path, token));
            }

            image.StartDownload(download);
            return image;
        }
        catch
        {
            if (recorder is not null)
            {
                await recorder.AbandonAsync().ConfigureAwait(false);
            }

            if (repository is not null)
            {
                await repository.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    // From before the first layer is opened: that reads, too, and a later opening is to find it near.
    private TraceRecorder StartTrace(string path, bool useMarkerFiles) =>
        TraceRecorder.Start(_tap, new TraceRecorderOptions { Path = path, UseMarkerFiles = useMarkerFiles }, _options.TimeProvider, _logger);

    private ImageRepository? OpenRepository(DeviceConfig config)
    {
        if (config.RepoBlobUrl.Length == 0)
        {
            return null;
        }

        ImageReference reference = BlobUrl.Parse(config.RepoBlobUrl);
        if (_options.Client is RegistryClient client)
        {
            return client.GetRepository(reference);
        }

        // Without a client an image whose layers are all local opens all the same.
        return !DeviceConfigLayers.NeedRepository(config)
            ? null
            : throw new ArgumentException(
                $"A layer has to be fetched from {reference}, but the options have no {nameof(OverlayBdImageOptions.Client)}.");
    }

    private async Task<OverlayBdImage> OpenAsync(
        string name, List<LayerDescription> descriptions, WritableUpper? upper, ImageRepository? repository,
        CancellationToken cancellationToken)
    {
        if (descriptions.Count == 0 && upper is null)
        {
            throw new InvalidDataException($"{name}: there is neither a layer nor an upper.");
        }

        ImageLayer[] layers = await _layers.OpenAllAsync(descriptions, cancellationToken).ConfigureAwait(false);
        try
        {
            LsmtImage? lower = layers.Length == 0 ? null : LsmtImage.Stack([.. layers.Select(layer => layer.Blob.Layer)], leaveOpen: true);
            LsmtWritableImage? writable = upper is null
                ? null
                : await OpenUpperAsync(upper, lower, cancellationToken).ConfigureAwait(false);
            return new OverlayBdImage(name, layers, lower, writable, repository, _tap, _options, _logger);
        }
        catch
        {
            foreach (ImageLayer layer in layers)
            {
                await layer.Blob.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    private static Task<LsmtWritableImage> OpenUpperAsync(WritableUpper upper, LsmtImage? lower, CancellationToken cancellationToken)
    {
        if (!upper.CreateIfMissing || File.Exists(upper.DataPath) || File.Exists(upper.IndexPath))
        {
            return LsmtWritableImage.OpenAsync(upper.DataPath, upper.IndexPath, lower, SparseFiles.Instance, cancellationToken);
        }

        var options = new LsmtWritableOptions
        {
            VirtualSize = upper.VirtualSize != 0 ? upper.VirtualSize : lower?.Length ?? 0,
            ParentUuid = lower?.Layers[^1].Uuid,
            SparseFiles = upper.IsSparse ? SparseFiles.Instance : null,
        };
        return LsmtWritableImage.CreateAsync(upper.DataPath, upper.IndexPath, options, lower, cancellationToken);
    }
}
