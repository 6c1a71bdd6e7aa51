// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Images.Tests;

/// <summary>A device config of the golden stack in a faulty registry, with a directory for each layer and a clock that the test moves.</summary>
internal sealed class RegistryDevice : IAsyncDisposable
{
    private const string RepositoryName = "overlaybd/golden";
    private readonly TempDirectory _files;
    private readonly RegistryClient _client;

    private RegistryDevice(FaultyRegistry registry, BlockCache cache, TempDirectory files)
    {
        _files = files;
        Registry = registry;
        Cache = cache;
        _client = new RegistryClient(new RegistryClientOptions
        {
            MaxAttempts = 1,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(2),
        });
        Layers = [registry.AddBlob(RepositoryName, GoldenStack.Layer(0)), registry.AddBlob(RepositoryName, GoldenStack.Layer(1))];
        Directory.CreateDirectory(DirectoryOf(0));
        Directory.CreateDirectory(DirectoryOf(1));
        Config = new DeviceConfig
        {
            RepoBlobUrl = $"{registry.Address}/v2/{RepositoryName}/blobs",
            Lowers = [.. Layers.Select((layer, i) => new LowerConfig { Digest = layer.Digest, Size = layer.Size, Directory = DirectoryOf(i) })],
        };
        Options = new OverlayBdImageOptions { Cache = cache, Client = _client, TimeProvider = Time };
    }

    public FaultyRegistry Registry { get; }

    public BlockCache Cache { get; }

    public TestClock Time { get; } = new();

    public Descriptor[] Layers { get; }

    public DeviceConfig Config { get; set; }

    public OverlayBdImageOptions Options { get; }

    public static async Task<RegistryDevice> StartAsync(TempDirectory files)
    {
        BlockCache cache = await BlockCache.OpenAsync(
            new BlockCacheOptions { Directory = files["cache"], KeepFreeBytes = 0, UnitSize = 4096, ReadAhead = false });
        return new RegistryDevice(await FaultyRegistry.StartAsync(), cache, files);
    }

    public string DirectoryOf(int layer) => _files[$"layer{layer}"];

    public ImageRepository OpenRepository() => _client.GetRepository(ImageReference.Parse($"{Registry.Host}/{RepositoryName}:obd"));

    public Descriptor AddBlob(byte[] content) => Registry.AddBlob(RepositoryName, content);

    public Task<OverlayBdImage> OpenAsync() => OverlayBdImage.OpenAsync(Config, Options, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Cache.DisposeAsync();
        await Registry.DisposeAsync();
    }
}
