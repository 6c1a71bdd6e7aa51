// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registries;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Backstore;

/// <summary>Opens what a request names. All devices share one cache; each has a client of its own, which counts for it.</summary>
internal sealed class ImageOpener(BackstoreOptions options, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private BlockCache? _cache;

    public async Task<OpenedImage> OpenAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        string source = Check(request);
        BlockCache cache = await OpenCacheAsync(cancellationToken);
        RegistryClient client = new(RegistryClientSettings.ToOptions(request.Registry ?? new()), loggers);
        ImageRepository? repository = null;
        try
        {
            OverlayBdImageOptions imageOptions = new()
            {
                Cache = cache,
                Client = client,
                LoggerFactory = loggers,
                WritableUpper = request.Upper is { } upper ? new(upper.Data, upper.Index) { CreateIfMissing = true } : null,
            };
            if (request.Image is null)
            {
                DeviceConfig config = await ReadConfigAsync(request, cancellationToken);
                return new(source, await OverlayBdImage.OpenAsync(config, imageOptions, cancellationToken), client, null, request.Upper);
            }

            ImageLocation location = ImageLocation.Parse(request.Image);
            repository = location.Open(client);
            ManifestContent content = await PlatformManifest.ResolveAsync(repository, location.TagOrDigest, platform: null, cancellationToken);
            Manifest manifest = content.AsManifest() ?? throw new InvalidDataException($"{source} is {content.Descriptor.MediaType}, no image.");
            OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, manifest, imageOptions, cancellationToken);
            return new(source, image, client, repository, request.Upper);
        }
        catch
        {
            if (repository is not null)
            {
                await repository.DisposeAsync();
            }

            client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_cache is not null)
        {
            await _cache.DisposeAsync();
        }

        _opening.Dispose();
    }

    /// <summary>Finds what is to be attached; exactly one thing must be named.</summary>
    private static string Check(AttachRequest request)
    {
        string[] named = [.. ((string?[])[request.Image, request.Config, request.Layers is { Count: > 0 } ? string.Join(',', request.Layers) : null])
            .OfType<string>()];
        if (named.Length != 1)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "Name exactly one of image, config and layers.");
        }

        IEnumerable<string?> paths = [request.Config, .. request.Layers ?? [], request.Upper?.Data, request.Upper?.Index];
        return paths.OfType<string>().FirstOrDefault(path => !Path.IsPathFullyQualified(path)) is { } relative
            ? throw new RequestException(ErrorCodes.InvalidRequest, $"{relative} is not an absolute path.")
            : named[0];
    }

    private static async Task<DeviceConfig> ReadConfigAsync(AttachRequest request, CancellationToken cancellationToken) => request.Config is { } path
        ? await DeviceConfig.LoadAsync(path, cancellationToken)
        : new() { Lowers = [.. request.Layers!.Select(layer => new LowerConfig { File = layer })] };

    private async Task<BlockCache> OpenCacheAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            return _cache ??= await CacheDirectories.OpenFirstFreeAsync(
                options.CacheDirectory, options.CacheBytes, loggers, cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }
}
