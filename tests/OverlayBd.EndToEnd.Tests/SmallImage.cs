// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Tar;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>An image of two layers that do not compress, converted in a registry that can fail.</summary>
public sealed class SmallImage : IAsyncLifetime
{
    private const string Repository = "team/small";
    private const int DiskSize = 64 << 20;
    private readonly TempDirectory _directory = new();
    private int _cacheNumber;

    internal FaultyRegistry Registry { get; private set; } = null!;

    internal Manifest Manifest { get; private set; } = null!;

    /// <summary>What the disk holds.</summary>
    internal byte[] Content { get; } = new byte[DiskSize];

    /// <summary>Where on the disk the content of the lower layer's file is, 1 MiB each; no two share a unit of the cache.</summary>
    internal IReadOnlyList<long> Parts { get; private set; } = [];

    internal string this[string name] => _directory[name];

    public async ValueTask InitializeAsync()
    {
        Registry = await FaultyRegistry.StartAsync();
        byte[][] tars = [Tar(1, "large", 16 << 20), Tar(2, "small", 300_000)];
        var document = new ImageDocument
        {
            Os = "linux",
            Architecture = "amd64",
            RootFs = new RootFs { Type = "layers", DiffIds = [.. tars.Select(tar => Digest.Sha256(tar))] },
        };
        var manifest = new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = Registry.AddBlob(Repository, OciJson.Write(document), MediaTypes.OciConfig),
            Layers = [.. tars.Select(tar => Registry.AddBlob(Repository, tar))],
        };
        Registry.AddManifest(Repository, "original", OciJson.Write(manifest));
        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository repository = Open(client);
        await ImageConverter.ConvertAsync(
            repository, "original", repository, "obd", new ImageConverterOptions { VirtualSize = DiskSize });
        Manifest = (await repository.GetManifestAsync("obd")).AsManifest()!;
        await using OverlayBdImage disk = await OverlayBdImage.OpenAsync(repository, Manifest, new OverlayBdImageOptions());
        await disk.ReadAsync(0, Content);
        Parts = [.. Enumerable.Range(0, DiskSize >> 20).Select(i => (long)i << 20).Where(IsFull)];
        Assert.True(Parts.Count >= 8);
    }

    public async ValueTask DisposeAsync()
    {
        if (Registry is not null)
        {
            await Registry.DisposeAsync();
        }

        _directory.Dispose();
    }

    internal byte[] Blob(int layer) => Registry.GetBlob(Repository, Manifest.Layers[layer].Digest)!;

    /// <summary>A blob that is as long as a layer but has other bytes.</summary>
    internal Digest AddOtherBlob(int layer)
    {
        byte[] content = new byte[Manifest.Layers[layer].Size];
        new Random(99).NextBytes(content);
        return Registry.AddBlob(Repository, content).Digest;
    }

    internal ImageRepository Open(RegistryClient client) =>
        ImageLocation.Parse($"docker://{Registry.Host}/{Repository}").Open(client);

    /// <summary>A new, empty cache, which fetches what is read and no more.</summary>
    internal Task<BlockCache> OpenCacheAsync() => BlockCache.OpenAsync(
        new BlockCacheOptions { Directory = _directory[$"cache-{_cacheNumber++}"], ReadAhead = false, KeepFreeBytes = 0 });

    private static byte[] Tar(int seed, string name, int length)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return TarBuilder.Build(TarFormat.Pax, TarItem.File(name, content));
    }

    private bool IsFull(long offset)
    {
        // Random bytes have no sector of zeros; metadata has.
        for (int sector = 0; sector < 1 << 20; sector += 512)
        {
            if (!Content.AsSpan((int)offset + sector, 512).ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }
}
