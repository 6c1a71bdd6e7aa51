// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Images.Tests;

/// <summary>The whole way of a read: image, layer, cache, HTTP.</summary>
public sealed class RegistryImageTests : ImageTestBase
{
    private const string RepositoryName = "overlaybd/golden";
    private const int ReadLength = 3 << 20;

    private static readonly RegistryClientOptions s_impatient = new()
    {
        MaxAttempts = 2,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxRetryDelay = TimeSpan.FromMilliseconds(2),
    };

    private async Task<FaultyRegistry> StartAsync()
    {
        FaultyRegistry registry = await FaultyRegistry.StartAsync(cancellationToken: Token);
        registry.AddBlob(RepositoryName, GoldenStack.Layer(0));
        registry.AddBlob(RepositoryName, GoldenStack.Layer(1));
        registry.AddManifest(RepositoryName, "obd", OciJson.Write(Manifest));
        return registry;
    }

    private static ImageRepository OpenRepository(RegistryClient client, string host) =>
        client.GetRepository(ImageReference.Parse($"{host}/{RepositoryName}:obd"));

    private async Task<byte[]> ExpectedAsync()
    {
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(Repository, Manifest, new(), Token);
        return await ReadAsync(image, 0, ReadLength);
    }

    [Fact]
    public async Task Image_OfARealRegistry_IsWhatTheOriginalExports()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        byte[] configuration = "{}"u8.ToArray();
        Descriptor config = new() { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256(configuration), Size = configuration.Length };
        await PushAsync(config, configuration);
        await PushAsync(Bottom, GoldenStack.Layer(0));
        await PushAsync(Top, GoldenStack.Layer(1));
        await repository.PushManifestAsync(OciJson.Write(Manifest with { Config = config }), MediaTypes.OciManifest, "obd", Token);

        ManifestContent content = await PlatformManifest.ResolveAsync(repository, "obd", cancellationToken: Token);
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, content.AsManifest()!, new() { Cache = cache }, Token);
        Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
        Assert.InRange(cache.Statistics.BytesFetched, 1, Bottom.Size + Top.Size);

        async Task PushAsync(Descriptor blob, byte[] bytes) =>
            await repository.PushBlobAsync(blob, _ => new(new MemoryStream(bytes)), cancellationToken: Token);
    }

    [Fact]
    public async Task Image_OfALayoutOnDisk_IsNotCopiedIntoTheCache()
    {
        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository repository = ImageLocation.Parse($"oci:{Files["layout"]}:obd").Open(client);
        byte[] configuration = "{}"u8.ToArray();
        Descriptor config = new() { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256(configuration), Size = configuration.Length };
        await repository.PushBlobAsync(config, _ => new(new MemoryStream(configuration)), cancellationToken: Token);
        await repository.PushBlobAsync(Bottom, _ => new(new MemoryStream(GoldenStack.Layer(0))), cancellationToken: Token);
        await repository.PushManifestAsync(
            OciJson.Write(GoldenStack.Manifest(Bottom) with { Config = config }), MediaTypes.OciManifest, "obd", Token);
        await repository.CompleteAsync(Token);

        ManifestContent content = await PlatformManifest.ResolveAsync(repository, "obd", cancellationToken: Token);
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, content.AsManifest()!, new() { Cache = cache }, Token);
        Assert.Equal(GoldenStack.BottomLayer, await GoldenStack.HashAsync(image));
        Assert.Equal(0, cache.Statistics.StoredBytes);
    }

    [Fact]
    public async Task DeviceConfig_ReadsThroughTheCache_AndPrefersLocalFiles()
    {
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using BlockCache cache = await OpenCacheAsync();
        var config = new DeviceConfig
        {
            RepoBlobUrl = $"{registry.Address}/v2/{RepositoryName}/blobs",
            Lowers =
            [
                new LowerConfig { Digest = Bottom.Digest, Size = Bottom.Size, Directory = Files["layer0"] },
                new LowerConfig { Digest = Top.Digest, Size = Top.Size, Directory = Files["layer1"] },
            ],
            ResultFile = Files["result"],
        };
        var options = new OverlayBdImageOptions { Cache = cache, Client = client };
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(config, options, Token))
        {
            Assert.All(image.Layers, layer => Assert.False(layer.IsLocal));
            Assert.Equal(GoldenStack.BothLayers, await GoldenStack.HashAsync(image));
            Assert.Equal("success", await File.ReadAllTextAsync(config.ResultFile, Token));
        }

        // A local file that is no layer is passed over; one that is, is taken.
        Directory.CreateDirectory(Files["layer0"]);
        Directory.CreateDirectory(Files["layer1"]);
        await File.WriteAllTextAsync(Path.Combine(Files["layer0"], "overlaybd.commit"), "torn", Token);
        File.Copy(GoldenStack.PathOf(1), Path.Combine(Files["layer1"], ".commit"));
        await using (OverlayBdImage image = await OverlayBdImage.OpenAsync(config, options, Token))
        {
            Assert.Equal([false, true], image.Layers.Select(layer => layer.IsLocal));
            Assert.Equal(await ExpectedAsync(), await ReadAsync(image, 0, ReadLength));
        }

        registry.Inject(Fault.Status(404), int.MaxValue);
        await Assert.ThrowsAsync<IOException>(() => OverlayBdImage.OpenAsync(config, new() { Client = client }, Token));
        string result = await File.ReadAllTextAsync(config.ResultFile, Token);
        Assert.StartsWith("failed:Layer " + Bottom.Digest, result, StringComparison.Ordinal);
        Assert.Contains("its local file cannot be used either", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DeviceConfig_WithABlobOfUnknownSize_IsAnError()
    {
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        var config = new DeviceConfig
        {
            RepoBlobUrl = $"{registry.Address}/v2/{RepositoryName}/blobs",
            Lowers = [new LowerConfig { Digest = Bottom.Digest }],
        };
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => OverlayBdImage.OpenAsync(config, new() { Client = client }, Token));
        Assert.Contains("size", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongBytesOnce_AreFetchedAgain()
    {
        byte[] expected = await ExpectedAsync();
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, Manifest, new() { Cache = cache }, Token);
        registry.Inject(Fault.WrongBytes);
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
        Assert.True(cache.Statistics.InvalidatedUnits > 0);
    }

    [Fact]
    public async Task WrongBytesAlways_AreAnErrorThatNamesTheLayer_UntilTheyAreRight()
    {
        byte[] expected = await ExpectedAsync();
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, Manifest, new() { Cache = cache }, Token);
        registry.Inject(Fault.WrongBytes, int.MaxValue, request => request.IsBlobRead && request.Path.EndsWith(Bottom.Digest.Hex, StringComparison.Ordinal));
        for (int i = 0; i < 3; i++)
        {
            InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(image, 0, ReadLength));
            Assert.Contains(Bottom.Digest.ToString(), error.Message, StringComparison.Ordinal);
            Assert.Contains(RepositoryName, error.Message, StringComparison.Ordinal);
        }

        registry.ClearFaults();
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
    }

    [Theory]
    [InlineData("abort")]
    [InlineData("503")]
    [InlineData("401")]
    [InlineData("404")]
    [InlineData("short")]
    [InlineData("ignores ranges")]
    public async Task RegistryThatFails_AndRecovers_NeedsNoNewImage(string what)
    {
        Fault fault = what switch
        {
            "abort" => Fault.Abort,
            "short" => Fault.CloseAfter(10),
            "ignores ranges" => Fault.IgnoreRange,
            _ => Fault.Status(int.Parse(what, System.Globalization.CultureInfo.InvariantCulture)),
        };
        byte[] expected = await ExpectedAsync();
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        await using BlockCache cache = await OpenCacheAsync();
        await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, Manifest, new() { Cache = cache }, Token);
        registry.Inject(fault, int.MaxValue);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(image, 0, ReadLength));
        Assert.Contains(RepositoryName, error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(image, 0, ReadLength));

        registry.ClearFaults();
        Assert.Equal(expected, await ReadAsync(image, 0, ReadLength));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task WrongSizeInTheManifest_IsAnErrorThatSaysBoth(int difference)
    {
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        Descriptor wrong = Bottom with
        {
            Size = Bottom.Size + difference,
            Annotations = new Dictionary<string, string> { [OverlayBdAnnotations.BlobDigest] = Bottom.Digest.ToString() },
        };
        await using BlockCache cache = await OpenCacheAsync();
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => OverlayBdImage.OpenAsync(repository, GoldenStack.Manifest(wrong), new() { Cache = cache }, Token));
        Assert.Contains(Bottom.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Bottom.Size}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Bottom.Size + difference}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RegistryThatCannotBeReached_FailsTheOpeningAtTheFirstTry_AndReadsNotBeforeTheLast()
    {
        FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        var config = new DeviceConfig
        {
            RepoBlobUrl = $"{registry.Address}/v2/{RepositoryName}/blobs",
            Lowers = [new LowerConfig { Digest = Bottom.Digest, Size = Bottom.Size, Directory = Files["layer0"] }],
            ResultFile = Files["result"],
        };
        await using OverlayBdImage open = await OverlayBdImage.OpenAsync(config, new() { Client = client }, Token);
        await registry.DisposeAsync();
        long tries = client.Statistics.Requests;
        await Assert.ThrowsAsync<IOException>(() => OverlayBdImage.OpenAsync(config, new() { Client = client }, Token));
        Assert.Equal(tries + 1, client.Statistics.Requests);
        string result = await File.ReadAllTextAsync(config.ResultFile, Token);
        Assert.StartsWith("failed:Layer " + Bottom.Digest, result, StringComparison.Ordinal);
        Assert.Contains($"{registry.Address}/v2/{RepositoryName}/blobs/{Bottom.Digest}: no connection", result, StringComparison.Ordinal);

        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(open, 0, 1 << 20));
        Assert.Equal(tries + 1 + s_impatient.MaxAttempts, client.Statistics.Requests);
    }

    [Fact]
    public async Task OpeningTwice_FetchesNothingAnew()
    {
        await using FaultyRegistry registry = await StartAsync();
        using var client = new RegistryClient(s_impatient);
        await using ImageRepository repository = OpenRepository(client, registry.Host);
        long sent;
        await using (BlockCache cache = await OpenCacheAsync())
        {
            await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, Manifest, new() { Cache = cache }, Token);
            await image.PrefetchAsync(0, image.Length, Token);
            sent = registry.BytesSentOf(Bottom.Digest) + registry.BytesSentOf(Top.Digest);
            Assert.InRange(sent, 1, Bottom.Size + Top.Size);
        }

        await using (BlockCache cache = await OpenCacheAsync())
        {
            await using OverlayBdImage image = await OverlayBdImage.OpenAsync(repository, Manifest, new() { Cache = cache }, Token);
            Assert.Equal(await ExpectedAsync(), await ReadAsync(image, 0, ReadLength));
        }

        Assert.Equal(sent, registry.BytesSentOf(Bottom.Digest) + registry.BytesSentOf(Top.Digest));
    }
}
