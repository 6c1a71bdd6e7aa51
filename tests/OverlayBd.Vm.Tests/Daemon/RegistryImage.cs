// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>An image of two layers that do not compress, converted in a registry that asks for a password, and can fail.</summary>
public sealed class RegistryImage : IAsyncLifetime
{
    public const int DiskSize = 64 << 20;
    private const string Repository = "team/small";
    private const string User = "tester";
    private const string Password = "secret-of-the-test";

    private readonly TempDirectory _directory = new();

    internal FaultyRegistry Registry { get; private set; } = null!;

    internal Manifest Manifest { get; private set; } = null!;

    /// <summary>What the disk holds, in a file: each new thread of this process costs as much as its memory is large.</summary>
    internal string ContentPath => _directory["content"];

    /// <summary>Where on the disk the content of the lower layer's large file is, 1 MiB each; no two share a unit of the cache.</summary>
    internal IReadOnlyList<long> Parts { get; private set; } = [];

    internal string Name => $"docker://{Registry.Host}/{Repository}:obd";

    public async ValueTask InitializeAsync()
    {
        Registry = await FaultyRegistry.StartAsync(new() { Authentication = FaultyRegistryAuthentication.Bearer, UserName = User, Password = Password });
        byte[][] tars = [Tar(1, "large", 12 << 20), Tar(2, "small", 300_000)];
        ImageDocument document = new()
        {
            Os = "linux",
            Architecture = "amd64",
            RootFs = new RootFs { Type = "layers", DiffIds = [.. tars.Select(tar => Digest.Sha256(tar))] },
        };
        Manifest manifest = new()
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = Registry.AddBlob(Repository, OciJson.Write(document), MediaTypes.OciConfig),
            Layers = [.. tars.Select(tar => Registry.AddBlob(Repository, tar))],
        };
        Registry.AddManifest(Repository, "original", OciJson.Write(manifest));
        using RegistryClient client = new(new() { UserName = User, Password = Password });
        await using ImageRepository repository = ImageLocation.Parse(Name).Open(client);
        await ImageConverter.ConvertAsync(repository, "original", repository, "obd", new ImageConverterOptions { VirtualSize = DiskSize });
        Manifest = (await repository.GetManifestAsync("obd")).AsManifest()!;
        await using OverlayBdImage disk = await OverlayBdImage.OpenAsync(repository, Manifest, new());
        Parts = await CopyAsync(disk);
        Assert.True(Parts.Count >= 10);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive); // what the conversion needed goes back to the kernel
    }

    public async ValueTask DisposeAsync()
    {
        if (Registry is not null)
        {
            await Registry.DisposeAsync();
        }

        _directory.Dispose();
    }

    /// <summary>Reads a piece of what the disk holds.</summary>
    internal byte[] Read(long offset, int length)
    {
        using FileStream content = File.OpenRead(ContentPath);
        content.Position = offset;
        byte[] piece = new byte[length];
        content.ReadExactly(piece);
        return piece;
    }

    /// <summary>Writes what a daemon needs to be let in.</summary>
    internal void WriteCredentials(BackstoreDaemon daemon) => File.WriteAllText(
        daemon["cred.json"],
        new JsonObject { ["auths"] = new JsonObject { [Registry.Host] = new JsonObject { ["username"] = User, ["password"] = Password } } }.ToJsonString());

    /// <summary>Writes a device config of the image, as upstream's snapshotter does.</summary>
    internal string WriteConfig(BackstoreDaemon daemon, string name = "config.v1.json", JsonObject? upper = null, Action<JsonObject>? change = null)
    {
        string folder = Directory.CreateDirectory(daemon["block-" + name]).FullName;
        JsonObject config = new()
        {
            ["repoBlobUrl"] = $"{Registry.Address}/v2/{Repository}/blobs",
            ["lowers"] = new JsonArray([.. Manifest.Layers.Select((layer, index) => (JsonNode)new JsonObject
            {
                ["digest"] = layer.Digest.ToString(),
                ["size"] = layer.Size,
                ["dir"] = Directory.CreateDirectory(Path.Combine(folder, $"layer{index}")).FullName,
            })]),
            ["upper"] = upper ?? [],
            ["resultFile"] = Path.Combine(folder, "init-debug.log"),
        };
        change?.Invoke(config);
        string path = Path.Combine(folder, "config.v1.json");
        File.WriteAllText(path, config.ToJsonString());
        return path;
    }

    /// <summary>The result file of a config that <see cref="WriteConfig"/> wrote.</summary>
    internal static string ReadResult(string config) => File.ReadAllText(ResultOf(config));

    /// <summary>The same, or null where there is none.</summary>
    internal static string? TryReadResult(string config) => File.Exists(ResultOf(config)) ? ReadResult(config) : null;

    private static string ResultOf(string config) => Path.Combine(Path.GetDirectoryName(config)!, "init-debug.log");

    /// <summary>Copies the disk into the file.</summary>
    /// <returns>The parts that are full.</returns>
    private async Task<List<long>> CopyAsync(OverlayBdImage disk)
    {
        List<long> full = [];
        byte[] part = new byte[1 << 20];
        await using FileStream content = File.Create(ContentPath);
        for (long offset = 0; offset < DiskSize; offset += part.Length)
        {
            await disk.ReadAsync(offset, part);
            await content.WriteAsync(part);

            // Random bytes have no sector of zeros; metadata has.
            if (part.Chunk(512).All(static sector => sector.ContainsAnyExcept((byte)0)))
            {
                full.Add(offset);
            }
        }

        return full;
    }

    private static byte[] Tar(int seed, string name, int length)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return TarBuilder.Build(TarFormat.Pax, TarItem.File(name, content));
    }
}
