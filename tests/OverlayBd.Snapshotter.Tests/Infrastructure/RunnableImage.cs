// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>An image that runs, in a real registry: ordinary under one tag, converted under another.</summary>
public sealed partial class RunnableImage : IAsyncLifetime
{
    private const string Repository = "team/runnable";
    private const uint Executable = 0b111_101_101;
    private const int BallastLength = 24 << 20;

    internal DockerRegistry Registry { get; private set; } = null!;

    internal Manifest Converted { get; private set; } = null!;

    internal Manifest Original { get; private set; } = null!;

    internal string OriginalReference => $"{Registry.Host}/{Repository}:original";

    internal string ConvertedReference => $"{Registry.Host}/{Repository}:obd";

    public async ValueTask InitializeAsync()
    {
        Registry = await DockerRegistry.StartAsync();
        using RegistryClient client = new(new RegistryClientOptions());
        await using ImageRepository repository = ImageLocation.Parse($"docker://{Registry.Host}/{Repository}").Open(client);
        Original = await PushAsync(repository, "original", LowerTar(), UpperTar());
        await ImageConverter.ConvertAsync(
            repository, "original", repository, "obd", new ImageConverterOptions { VirtualSize = 256L << 20 });
        Converted = (await repository.GetManifestAsync("obd")).AsManifest()!;
    }

    public async ValueTask DisposeAsync()
    {
        if (Registry is not null)
        {
            await Registry.DisposeAsync();
        }
    }

    /// <summary>The labels that a lazy pull gives to the snapshot of a layer.</summary>
    internal Dictionary<string, string> LabelsOf(int layer)
    {
        Dictionary<string, string> labels = new(Converted.Layers[layer].Annotations!)
        {
            ["containerd.io/snapshot.ref"] = ChainId(layer),
            ["containerd.io/snapshot/image-ref"] = ConvertedReference,
            ["containerd.io/snapshot/diff-id"] = Converted.Layers[layer].Digest.ToString(),
        };
        return labels;
    }

    internal string ChainId(int layer)
    {
        Digest chain = Converted.Layers[0].Digest;
        for (int i = 1; i <= layer; i++)
        {
            chain = Digest.Sha256(System.Text.Encoding.ASCII.GetBytes($"{chain} {Converted.Layers[i].Digest}"));
        }

        return chain.ToString();
    }

    private static byte[] LowerTar()
    {
        byte[] ballast = new byte[BallastLength];
        new Random(5).NextBytes(ballast);
        return TarBuilder.Build(
            TarFormat.Pax,
            TarItem.Directory("bin"),
            TarItem.File("bin/busybox", File.ReadAllBytes("/bin/busybox")) with { Mode = Executable },
            TarItem.Symlink("bin/sh", "busybox"),
            TarItem.Symlink("bin/cat", "busybox"),
            TarItem.Directory("etc"),
            TarItem.Directory("proc"),
            TarItem.Directory("tmp"),
            TarItem.File("etc/hello", "hello from below\n"),
            TarItem.File("ballast", ballast));
    }

    private static byte[] UpperTar() => TarBuilder.Build(
        TarFormat.Pax, TarItem.Directory("etc"), TarItem.File("etc/hello", "hello from the image\n"), TarItem.File("etc/second", "second layer\n"));

    private static async Task<Manifest> PushAsync(ImageRepository repository, string tag, params byte[][] tars)
    {
        ImageDocument document = new()
        {
            Os = "linux",
            Architecture = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64
                ? "arm64"
                : "amd64",
            Config = new() { Cmd = ["/bin/cat", "/etc/hello"], Env = ["PATH=/bin"] },
            RootFs = new() { Type = "layers", DiffIds = [.. tars.Select(tar => Digest.Sha256(tar))] },
        };
        Manifest manifest = new()
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = await PushBlobAsync(repository, OciJson.Write(document), MediaTypes.OciConfig),
            Layers = [.. await Task.WhenAll(tars.Select(tar => PushBlobAsync(repository, tar, MediaTypes.OciLayer)))],
        };
        await repository.PushManifestAsync(OciJson.Write(manifest), MediaTypes.OciManifest, tag);
        return manifest;
    }

    private static async Task<Descriptor> PushBlobAsync(ImageRepository repository, byte[] content, string mediaType)
    {
        Descriptor descriptor = new() { MediaType = mediaType, Digest = Digest.Sha256(content), Size = content.Length };
        await repository.PushBlobAsync(descriptor, _ => new(new MemoryStream(content)));
        return descriptor;
    }
}
