// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Format.Trace;
using OverlayBd.Images.Downloading;
using OverlayBd.Images.Observation;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Images;

/// <summary>An overlaybd image as one disk, read lazily: what is read is fetched, and nothing else.</summary>
/// <remarks>
/// <para>Opening it reads the index of every layer, several layers at a time, and merges them. From then on a read costs one look-up
/// and goes to the layer that has the bytes: its local file, or its blob in a registry through the cache.</para>
/// <para>A read that fails fails alone. The registry's trouble is not remembered: once it is over, the same image reads again. Bytes
/// that do not match their checksum are dropped from the cache and fetched once more before the read fails.</para>
/// <para>With a writable layer on top the disk can be written: what is written stays in that layer's two files. Without one every
/// write is refused.</para>
/// <para>The repository, the client and the cache it was opened with stay their owners', and must outlive the image.</para>
/// </remarks>
public sealed partial class OverlayBdImage : BlockStore, IPrefetchable, IResizable
{
    private readonly string _name;
    private readonly BlockSource _disk;
    private readonly LsmtImage? _lower;
    private readonly ImageRepository? _repository;
    private readonly ILogger _logger;
    private readonly TraceTap _tap;
    private readonly TimeProvider _time;
    private readonly IBlockOperationObserver? _observer;
    private readonly PrefetchBudget? _sharedBudget;
    private PrefetchBudget? _ownBudget;

    internal OverlayBdImage(
        string name,
        IReadOnlyList<ImageLayer> layers,
        LsmtImage? lower,
        LsmtWritableImage? upper,
        ImageRepository? repository,
        TraceTap tap,
        OverlayBdImageOptions options,
        ILogger logger)
    {
        _tap = tap;
        _time = options.TimeProvider;
        _observer = options.Observer;
        _sharedBudget = options.PrefetchBudget;
        _name = name;
        _lower = lower;
        _disk = upper ?? (BlockSource?)lower ?? throw new ArgumentException("An image has a layer or an upper.", nameof(layers));
        _repository = repository;
        _logger = logger;
        Layers = layers;
        Upper = upper;
        ImageLog.ImageOpened(logger, name, layers.Count, Length, IsReadOnly);
    }

    /// <summary>Gets the size of the disk, in bytes.</summary>
    public override long Length => _disk.Length;

    /// <summary>Gets whether the image has no writable layer.</summary>
    public override bool IsReadOnly => Upper is null;

    /// <inheritdoc/>
    public override int WriteAlignment => Upper?.WriteAlignment ?? 1;

    /// <summary>Gets the read-only layers, the bottom one first. A snapshot puts one on top.</summary>
    public IReadOnlyList<ImageLayer> Layers { get; private set; }

    /// <summary>Gets the writable layer with what is below it, to commit or seal it; <see langword="null"/> when there is none. The image
    /// owns it.</summary>
    public LsmtWritableImage? Upper { get; }

    /// <summary>Gets the recording of what is read of the layers; <see langword="null"/> when there is none.</summary>
    public TraceRecorder? Trace => _tap.Recorder;

    /// <summary>Gets the replay of a trace that an earlier run left; <see langword="null"/> when there is none. The image owns
    /// it.</summary>
    public TracePlayer? Replay { get; private set; }

    /// <summary>Gets the background download of the layers; <see langword="null"/> when there is none. The image owns it.</summary>
    public BackgroundDownload? Download { get; private set; }

    /// <summary>Opens an overlaybd image from its manifest.</summary>
    /// <param name="repository">Where its layers are; not owned, and in use until the image is disposed.</param>
    /// <param name="manifest">The image's manifest, see <see cref="PlatformManifest"/>.</param>
    /// <param name="options">The cache, and a writable layer if there is to be one.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The image; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The manifest is not that of an overlaybd image, or a layer is malformed; the message names
    /// it.</exception>
    /// <exception cref="NotSupportedException">A layer is of turboOCI.</exception>
    /// <exception cref="IOException">A layer cannot be read; the message names the layer and the cause.</exception>
    /// <exception cref="UnauthorizedAccessException">A file of the writable layer may not be read and written.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static Task<OverlayBdImage> OpenAsync(
        ImageRepository repository, Manifest manifest, OverlayBdImageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        return new ImageOpener(options).OpenAsync(repository, manifest, cancellationToken);
    }

    /// <summary>Opens the image of a device config, and writes how that went to the config's result file, if it names one.</summary>
    /// <param name="config">The layers, and the writable layer if there is one.</param>
    /// <param name="options">The cache, and the client for layers that are not local.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The image; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">A layer is not local, and <paramref name="options"/> have no client.</exception>
    /// <exception cref="InvalidDataException">The config does not make sense, or a layer is malformed; the message names it.</exception>
    /// <exception cref="NotSupportedException">The config is that of a turboOCI image.</exception>
    /// <exception cref="IOException">A layer cannot be read; the message names the layer and the cause.</exception>
    /// <exception cref="UnauthorizedAccessException">A file of the writable layer may not be read and written.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static Task<OverlayBdImage> OpenAsync(
        DeviceConfig config, OverlayBdImageOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(options);
        return new ImageOpener(options).OpenAsync(config, cancellationToken);
    }

    /// <summary>Starts to record what is read of the layers, in the form that <see cref="TracePlayer"/> replays.</summary>
    /// <param name="options">Where to, and how much.</param>
    /// <returns>The recording; it ends with <see cref="TraceRecorder.StopAsync"/>, or with the image.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">A trace is being recorded already.</exception>
    /// <exception cref="IOException">The trace cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The trace may not be written.</exception>
    /// <exception cref="ObjectDisposedException">The image has been disposed.</exception>
    public TraceRecorder StartTrace(TraceRecorderOptions options)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentNullException.ThrowIfNull(options);
        return TraceRecorder.Start(_tap, options, _time, _logger);
    }

    /// <summary>Brings what the layers hold of a range near.</summary>
    /// <inheritdoc cref="IPrefetchable.PrefetchAsync" path="/param"/>
    /// <returns>A task that completes when a read of the range would need no network, as far as the cache could store it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="Length"/>.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="ObjectDisposedException">The image has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);

        return Upper?.PrefetchAsync(offset, length, cancellationToken) ?? _lower!.PrefetchAsync(offset, length, cancellationToken);
    }

    /// <inheritdoc/>
    public override string ToString() => _name;

    /// <summary>Starts the replay; called once, by who opens the image.</summary>
    internal void StartReplay(string trace, Func<CancellationToken, Task<IReadOnlyList<TraceRecord>>> read)
    {
        PrefetchBudget budget = _sharedBudget ?? (_ownBudget = new PrefetchBudget());
        Replay = new TracePlayer(trace, read, [.. Layers.Select(layer => layer.IsLocal ? null : layer.Blob.Layer.Source)], budget, _logger);
    }

    /// <summary>Starts the download of the layers that are to be downloaded, if there are any; called once, by who opens the
    /// image.</summary>
    internal void StartDownload(DownloadConfig? settings)
    {
        DownloadTarget[] targets = [.. Layers.Select(layer => layer.Download).OfType<DownloadTarget>()];
        if (settings is { Enable: true } && targets.Length > 0)
        {
            Download = new BackgroundDownload(targets, settings, _observer, _time, _logger);
        }
    }

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _disk.ReadAsync(offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        Upper!.WriteAsync(offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) =>
        Upper!.DiscardAsync(offset, length, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) => Upper!.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    protected override async ValueTask ReleaseAsync()
    {
        // What runs beside the readers uses the layers.
        foreach (IAsyncDisposable? task in (IAsyncDisposable?[])[Replay, Download, Trace])
        {
            if (task is not null)
            {
                await task.DisposeAsync().ConfigureAwait(false);
            }
        }

        _ownBudget?.Dispose();

        // The upper disposes the lower image; the layers are this image's own.
        await _disk.DisposeAsync().ConfigureAwait(false);
        foreach (ImageLayer layer in Layers)
        {
            await layer.Blob.DisposeAsync().ConfigureAwait(false);
        }

        if (_repository is not null)
        {
            await _repository.DisposeAsync().ConfigureAwait(false);
        }

        ImageTelemetry.ImageClosed();
        ImageLog.ImageClosed(_logger, _name);
    }
}
