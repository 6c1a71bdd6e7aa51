// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Trees;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>The torture image, converted once from an OCI layout into a real registry.</summary>
public sealed class ConvertedTortureImage : IAsyncLifetime
{
    private const string Name = "torture/image:obd";
    private readonly TempDirectory _directory = new();
    private DockerRegistry? _registry;
    private RegistryClient? _client;

    internal ConversionResult Result { get; private set; } = null!;

    internal ImageRepository Target { get; private set; } = null!;

    internal Manifest Manifest { get; private set; } = null!;

    internal string Layout => _directory["layout"];

    internal string this[string name] => _directory[name];

    internal RegistryClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        TortureImage.WriteOciLayout(Layout);
        _registry = await DockerRegistry.StartAsync();
        _client = new RegistryClient(new RegistryClientOptions());
        Target = ImageLocation.Parse($"docker://{_registry.Host}/{Name}").Open(_client);
        Result = await ConvertAsync(Target, "obd", new ImageConverterOptions());
        Manifest = (await Target.GetManifestAsync("obd")).AsManifest()!;
    }

    public async ValueTask DisposeAsync()
    {
        if (Target is not null)
        {
            await Target.DisposeAsync();
        }

        _client?.Dispose();
        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        _directory.Dispose();
    }

    internal async Task<ConversionResult> ConvertAsync(ImageRepository target, string tag, ImageConverterOptions options)
    {
        await using ImageRepository source = ImageLocation.Parse($"oci:{Layout}:{TortureImage.Tag}").Open(Client);
        return await ImageConverter.ConvertAsync(source, TortureImage.Tag, target, tag, options);
    }

    /// <summary>Opens the lowest <paramref name="layers"/> layers, with a cache of their own.</summary>
    internal async Task<(OverlayBdImage Image, BlockCache Cache)> OpenAsync(int layers, string cacheName)
    {
        BlockCache cache = await BlockCache.OpenAsync(new BlockCacheOptions { Directory = _directory[cacheName] });
        Manifest prefix = Manifest with { Layers = [.. Manifest.Layers.Take(layers)] };
        return (await OverlayBdImage.OpenAsync(Target, prefix, new OverlayBdImageOptions { Cache = cache }), cache);
    }
}
