// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Backstore.Configuration;
using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Images.Tracing;
using OverlayBd.Registries;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Backstore.Devices;

/// <summary>Opens what a request or a device config names. All devices share one cache, one budget of prefetches, and clients.</summary>
internal sealed class ImageOpener(
    BackstoreOptions options,
    RegistryClients clients,
    DownloadDefaults downloads,
    TimeProvider clock,
    ILoggerFactory loggers,
    IBlockOperationObserver? observer = null) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private readonly PrefetchBudget _budget = new(options.Config.Prefetch.Concurrency);
    private BlockCache? _cache;

    /// <summary>Opens the image of a request.</summary>
    public Task<OpenedImage> OpenAsync(AttachRequest request, CancellationToken cancellationToken) =>
        OpenAsync(new Attachment { Request = request }, createUpper: true, cancellationToken);

    /// <summary>Opens the image of a device that was attached before: what it was then, without what was asked for that one time.</summary>
    public Task<OpenedImage> OpenAgainAsync(Attachment attachment, CancellationToken cancellationToken) =>
        OpenAsync(attachment with { Request = attachment.Request with { Record = null, Replay = null } }, createUpper: false, cancellationToken);

    /// <summary>Opens the image of a device config.</summary>
    public async Task<OpenedImage> OpenAsync(string source, DeviceConfig config, CancellationToken cancellationToken) =>
        await OpenAsync(source, config, await CreateOptionsAsync(new(), createUpper: false, cancellationToken), registry: null, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_cache is not null)
        {
            await _cache.DisposeAsync();
        }

        _budget.Dispose();
        _opening.Dispose();
    }

    private async Task<OpenedImage> OpenAsync(Attachment attachment, bool createUpper, CancellationToken cancellationToken)
    {
        AttachRequest request = attachment.Request;
        string source = AttachRequestCheck.FindSource(request);
        OverlayBdImageOptions imageOptions = await CreateOptionsAsync(request, createUpper, cancellationToken);
        if (request.Image is null)
        {
            DeviceConfig config = await ReadConfigAsync(request, cancellationToken);
            return await OpenAsync(source, config, imageOptions, request.Registry, cancellationToken);
        }

        ImageLocation location = ImageLocation.Parse(request.Image);
        RegistryClient client = clients.Get(request.Registry ?? new());
        ImageRepository repository = location.Open(client);
        using IDisposable urgent = repository.FailFast();
        try
        {
            string manifest = attachment.Manifest ?? await FetchManifestAsync(repository, location, cancellationToken);
            Manifest parsed = OciJson.ReadManifest(Encoding.UTF8.GetBytes(manifest), source);
            OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, parsed, imageOptions, cancellationToken);
            return new(source, image, repository) { Manifest = manifest };
        }
        catch
        {
            await repository.DisposeAsync();
            throw;
        }
    }

    private async Task<OpenedImage> OpenAsync(
        string source, DeviceConfig config, OverlayBdImageOptions imageOptions, RegistrySettings? registry, CancellationToken cancellationToken)
    {
        // The scheme of a config is the only way a snapshotter can ask for plain HTTP.
        RegistrySettings settings = registry ?? new();
        bool isPlain = config.RepoBlobUrl.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        imageOptions.Client = clients.Get(isPlain ? settings with { PlainHttp = true } : settings);
        return new(source, await OverlayBdImage.OpenAsync(config, imageOptions, cancellationToken), repository: null) { Config = config };
    }

    private static async Task<string> FetchManifestAsync(ImageRepository repository, ImageLocation location, CancellationToken cancellationToken)
    {
        ManifestContent content = await PlatformManifest.ResolveAsync(repository, location.TagOrDigest, platform: null, cancellationToken);
        return content.AsManifest() is null
            ? throw new InvalidDataException($"{location} is {content.Descriptor.MediaType}, no image.")
            : Encoding.UTF8.GetString(content.Content.Span);
    }

    private static async Task<DeviceConfig> ReadConfigAsync(AttachRequest request, CancellationToken cancellationToken) => request.Config is { } path
        ? await DeviceConfig.LoadAsync(path, cancellationToken)
        : new() { Lowers = [.. request.Layers!.Select(layer => new LowerConfig { File = layer })] };

    private async Task<OverlayBdImageOptions> CreateOptionsAsync(AttachRequest request, bool createUpper, CancellationToken cancellationToken)
    {
        WritableUpper? upper = request.Upper is { } files
            ? new(files.Data, files.Index) { CreateIfMissing = createUpper, IsSparse = files.Sparse }
            : null;
        return new()
        {
            Cache = await OpenCacheAsync(cancellationToken),
            Client = clients.Get(request.Registry ?? new()),
            Download = downloads.Read(),
            LoggerFactory = loggers,
            Observer = observer,
            PrefetchBudget = _budget,
            RecordTracePath = request.Record,
            ReplayTracePath = request.Replay,
            TimeProvider = clock,
            WritableUpper = upper,
        };
    }

    private async Task<BlockCache> OpenCacheAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            return _cache ??= await CacheDirectories.OpenFirstFreeAsync(
                options.CacheDirectory, options.CacheBytes, FetchUnit(), observer, loggers, cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    // The original's default is four times ours, which fetches much that nobody reads; who wants it names another size.
    private int FetchUnit()
    {
        int refill = options.Config.EffectiveCache.RefillSize;
        return refill == new CacheConfig().RefillSize ? BlockCacheOptions.DefaultUnitSize : refill;
    }
}
