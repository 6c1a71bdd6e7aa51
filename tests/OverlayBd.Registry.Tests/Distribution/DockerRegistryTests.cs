// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

/// <summary>The client against Debian's docker-registry and skopeo.</summary>
public sealed class DockerRegistryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(64 * 1024)]
    public async Task PushedImage_ReadsBack(int chunkSize)
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using RegistryClient client = TestClient.Create(options => options.UploadChunkSize = chunkSize);
        ImageRepository repository = client.Repository(registry);
        byte[] content = TestClient.RandomBytes(300_000);
        (Descriptor manifest, Descriptor layer) = await PushAsync(repository, content, "v1");

        ManifestContent read = await repository.GetManifestAsync("v1", Token);
        Assert.Equal(manifest.Digest, read.Descriptor.Digest);
        Assert.Equal(MediaTypes.OciManifest, read.Descriptor.MediaType);
        Assert.Equal(layer, Assert.Single(read.AsManifest()!.Layers));
        Assert.Equal(manifest.Digest, (await repository.GetManifestAsync(manifest.Digest.ToString(), Token)).Descriptor.Digest);
        Assert.Equal("amd64", (await repository.GetImageDocumentAsync(read.AsManifest()!, Token)).Architecture);
        Assert.Equal(content, await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(layer, Token)));
        await using BlockSource source = await repository.OpenBlobSourceAsync(layer, Token);
        byte[] part = new byte[1000];
        await source.ReadAsync(12_345, part, Token);
        Assert.Equal(content[12_345..13_345], part);
    }

    [Fact]
    public async Task PushedEmptyBlob_ReadsBack()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using RegistryClient client = TestClient.Create();
        ImageRepository repository = client.Repository(registry);
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256([]), Size = 0 };
        await repository.PushBlobAsync(blob, TestClient.Opening([]), cancellationToken: Token);
        Assert.True(await repository.BlobExistsAsync(blob, Token));
        Assert.Empty(await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(blob, Token)));
    }

    [Fact]
    public async Task PushBlob_FromAnotherRepository_MountsIt_WithoutOpeningTheContent()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using RegistryClient client = TestClient.Create();
        (_, Descriptor layer) = await PushAsync(client.Repository(registry, "first"), TestClient.RandomBytes(10_000), "v1");
        ImageRepository second = client.Repository(registry, "second");
        Assert.False(await second.BlobExistsAsync(layer, Token));
        await second.PushBlobAsync(layer, _ => throw new InvalidOperationException("not to be opened"), "first", cancellationToken: Token);
        Assert.True(await second.BlobExistsAsync(layer, Token));
    }

    [Fact]
    public async Task PushBlob_WhoseMountFails_IsSentAfterAll()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using RegistryClient client = TestClient.Create();
        byte[] content = TestClient.RandomBytes(10_000);
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(content), Size = content.Length };
        ImageRepository repository = client.Repository(registry);
        await repository.PushBlobAsync(blob, TestClient.Opening(content), "no/such/repository", cancellationToken: Token);
        Assert.Equal(content, await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(blob, Token)));
    }

    [Fact]
    public async Task Registry_WithPasswords_LetsTheRightOneIn()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(authenticated: true, Token);
        using RegistryClient right = TestClient.Create(
            options => (options.UserName, options.Password) = (DockerRegistry.UserName, DockerRegistry.Password));
        await PushAsync(right.Repository(registry), TestClient.RandomBytes(1000), "v1");
        Assert.NotNull((await right.Repository(registry).GetManifestAsync("v1", Token)).AsManifest());

        using RegistryClient wrong = TestClient.Create(
            options => (options.UserName, options.Password) = (DockerRegistry.UserName, "wr0ng-passw0rd"));
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => wrong.Repository(registry).GetManifestAsync("v1", Token));
        Assert.Equal(RegistryError.Unauthorized, error.Error);
        Assert.DoesNotContain("wr0ng", error.ToString(), StringComparison.Ordinal);

        using RegistryClient nobody = TestClient.Create();
        error = await Assert.ThrowsAsync<RegistryException>(() => nobody.Repository(registry).GetManifestAsync("v1", Token));
        Assert.Equal(RegistryError.Unauthorized, error.Error);
    }

    [Fact]
    public async Task GetManifest_OfAnUnknownTag_SaysNotFound()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using RegistryClient client = TestClient.Create();
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => client.Repository(registry).GetManifestAsync("nope", Token));
        Assert.Equal(RegistryError.NotFound, error.Error);
        Assert.Contains("MANIFEST_UNKNOWN", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_WrittenAsLayoutOrArchive_PassesThroughSkopeo_AndReadsBack()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using var directory = new TempDirectory();
        using RegistryClient client = TestClient.Create();
        byte[] content = TestClient.RandomBytes(50_000);
        foreach (string location in new[] { $"oci:{directory["layout"]}:v1", $"oci-archive:{directory["image.tar"]}:v1" })
        {
            await using (ImageRepository written = ImageLocation.Parse(location).Open(client))
            {
                await PushAsync(written, content, "v1");
                await written.CompleteAsync(Token);
            }

            string name = $"{registry.Host}/skopeo/{location.Split(':')[0]}:v2";
            await RunSkopeoAsync("copy", "--preserve-digests", "--dest-tls-verify=false", location, "docker://" + name);
            ImageRepository repository = client.GetRepository(ImageReference.Parse(name));
            Manifest manifest = (await repository.GetManifestAsync("v2", Token)).AsManifest()!;
            Assert.Equal(content, await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(manifest.Layers[0], Token)));

            // And back into a layout and an archive of skopeo's making.
            string back = location.Replace("layout", "back", StringComparison.Ordinal).Replace("image.tar", "back.tar", StringComparison.Ordinal);
            await RunSkopeoAsync("copy", "--preserve-digests", "--src-tls-verify=false", "docker://" + name, back);
            await using ImageRepository made = ImageLocation.Parse(back).Open(client);
            ManifestContent read = await made.GetManifestAsync("v1", Token);
            Assert.Equal(manifest.Layers[0].Digest, read.AsManifest()!.Layers[0].Digest);
            Assert.Equal(content, await TestClient.ReadToEndAsync(await made.OpenBlobAsync(read.AsManifest()!.Layers[0], Token)));
            await using BlockSource source = await made.OpenBlobSourceAsync(read.AsManifest()!.Layers[0], Token);
            byte[] part = new byte[100];
            await source.ReadAsync(49_900, part, Token);
            Assert.Equal(content[49_900..], part);
        }
    }

    private static async Task<(Descriptor Manifest, Descriptor Layer)> PushAsync(ImageRepository repository, byte[] layer, string tag)
    {
        var blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(layer), Size = layer.Length };
        byte[] document = OciJson.Write(new ImageDocument
        {
            Architecture = "amd64",
            Os = "linux",
            RootFs = new RootFs { DiffIds = [blob.Digest] },
        });
        var config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256(document), Size = document.Length };
        await repository.PushBlobAsync(blob, TestClient.Opening(layer), cancellationToken: Token);
        await repository.PushBlobAsync(config, TestClient.Opening(document), cancellationToken: Token);
        byte[] manifest = OciJson.Write(new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = config,
            Layers = [blob],
        });
        return (await repository.PushManifestAsync(manifest, MediaTypes.OciManifest, tag, Token), blob);
    }

    private static async Task RunSkopeoAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("skopeo", ["--insecure-policy", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Token);
        string errors = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.True(process.ExitCode == 0, errors + await output);
    }
}
