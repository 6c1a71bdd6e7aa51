// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Text.RegularExpressions;
using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed partial class AuditTests : IAsyncDisposable
{
    private readonly ObservedServer _server = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(BlockOperation.CacheRead, "file:read", 1)]
    [InlineData(BlockOperation.CacheWrite, "file:write", 10)]
    [InlineData(BlockOperation.FileRead, "file:pread", 10)]
    [InlineData(BlockOperation.Fetch, "download", 0)]
    [InlineData(BlockOperation.Download, "bk_download", 0)]
    [InlineData(BlockOperation.Evict, "eviction", 0)]
    public async Task Operation_IsAudited_WhenItTookLongEnough(BlockOperation operation, string verb, int least)
    {
        await _server.StartAsync();
        TimeSpan limit = TimeSpan.FromMilliseconds(least);
        _server.Observer.OnCompleted(operation, "/some/file", 4096, 512, limit);
        if (least > 0)
        {
            _server.Observer.OnCompleted(operation, "/some/file", 8192, 512, limit - TimeSpan.FromTicks(1));
        }

        await _server.StopAsync();
        string line = Assert.Single(await File.ReadAllLinesAsync(_server.AuditPath));
        Assert.Matches(Line(), line);
        Assert.EndsWith($"|{verb}[pathname=/some/file][offset=4096][size=512][latency={least * 1000}us]", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_ThatIsAnAddress_LosesItsQuery()
    {
        await _server.StartAsync();
        _server.Observer.OnCompleted(BlockOperation.Fetch, "https://storage.example/blob?X-Signature=secret", 0, 1, TimeSpan.Zero);
        await _server.StopAsync();
        string text = await File.ReadAllTextAsync(_server.AuditPath);
        Assert.Contains("[pathname=https://storage.example/blob]", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disabled_MakesNoFile()
    {
        _server.Config = _server.Config with { EnableAudit = false };
        await _server.StartAsync();
        await _server.StopAsync();
        Assert.False(File.Exists(_server.AuditPath));
    }

    [Fact]
    public async Task Reads_FromARegistry_AreAudited_AndShownAsMetrics()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await _server.StartAsync();
        byte[] layer = await File.ReadAllBytesAsync(CommandLineFixture.Golden("layer0.commit.tar"));
        Descriptor blob = new() { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(layer), Size = layer.Length };
        using RegistryClient client = new(new());
        await using (ImageRepository repository = client.GetRepository(ImageReference.Parse($"{registry.Host}/test/image:1")))
        {
            await repository.PushBlobAsync(blob, _ => new(new MemoryStream(layer)));
        }

        long size;
        await using (BlockCache cache = await BlockCache.OpenAsync(
            new() { Directory = _server["cache"], KeepFreeBytes = 0, Observer = _server.Observer }))
        {
            DeviceConfig config = new()
            {
                RepoBlobUrl = $"http://{registry.Host}/v2/test/image/blobs",
                Lowers = [new() { Digest = blob.Digest, Size = blob.Size }],
            };
            await using OverlayBdImage image = await OverlayBdImage.OpenAsync(
                config, new() { Cache = cache, Client = client, Observer = _server.Observer }, TestContext.Current.CancellationToken);
            byte[] buffer = new byte[1 << 20];
            for (long offset = 0; offset < Math.Min(image.Length, 64 << 20); offset += buffer.Length)
            {
                await image.ReadAsync(offset, buffer.AsMemory(0, (int)Math.Min(buffer.Length, image.Length - offset)));
            }

            size = image.Layers[0].CacheStatistics!.BytesFetched;
            ScrapedText text = await _server.ScrapeAsync();
            Assert.Equal(size, text["OverlayBD_Count{node=\"the-node\",type=\"download\"}"]);
            Assert.InRange(text["OverlayBD_Count{node=\"the-node\",type=\"pread\"}"], 1, double.MaxValue);
            Assert.InRange(text["OverlayBD_MaxLatency{node=\"the-node\",type=\"download\",mode=\"\"}"], 1, double.MaxValue);
            string answered = $"server_address=\"{registry.Host}\",http_request_method=\"GET\",http_response_status_code=\"206\"";
            Assert.InRange(text[$"overlaybd_registry_requests_total{{{answered}}}"], 1, double.MaxValue);
            Assert.InRange(text[$"overlaybd_registry_request_duration_seconds_count{{{answered}}}"], 1, double.MaxValue);
            Assert.InRange(text["overlaybd_registry_received_bytes_total"], size, double.MaxValue);
            Assert.InRange(text["overlaybd_cache_fetch_duration_seconds_count"], 1, double.MaxValue);
            Assert.InRange(text["overlaybd_cache_stored_bytes"], size, double.MaxValue);
            Assert.InRange(text["overlaybd_cache_misses_total"], 1, double.MaxValue);
            Assert.InRange(text["overlaybd_image_open_duration_seconds_count"], 1, double.MaxValue);
            Assert.InRange(text["overlaybd_image_open"], 1, double.MaxValue);
        }

        await _server.StopAsync();
        string[] downloads = [.. (await File.ReadAllLinesAsync(_server.AuditPath)).Where(line => line.Contains("|download[", StringComparison.Ordinal))];
        Assert.NotEmpty(downloads);
        Assert.All(downloads, line => Assert.Matches(Line(), line));
        Assert.All(downloads, line => Assert.Contains($"[pathname={registry.Host}/test/image@{blob.Digest}]", line, StringComparison.Ordinal));
        Assert.Equal(size, downloads.Sum(line => long.Parse(SizeField().Match(line).Groups[1].Value)));
    }

    [Fact]
    public async Task CachedReads_ThatAreCountedAndAudited_AllocateNothing()
    {
        await _server.StartAsync();
        byte[] content = new byte[1 << 20];
        await using BlockCache cache = await BlockCache.OpenAsync(
            new() { Directory = _server["cache"], KeepFreeBytes = 0, Observer = _server.Observer });
        string path = _server["content"];
        await File.WriteAllBytesAsync(path, content);
        await using CachedBlockSource source = cache.Open(Digest.Sha256(content), FileBlockSource.Open(path), "content");
        await source.PrefetchAsync(0, content.Length);
        byte[] buffer = new byte[4096];
        Read(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool complete = Read(10_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(complete);

        // A read that a busy machine holds up for a millisecond is audited, and its line is allocated.
        await _server.StopAsync();
        int slow = (await File.ReadAllLinesAsync(_server.AuditPath)).Count(line => line.Contains("|file:read[", StringComparison.Ordinal));
        Assert.InRange(allocated, 0, slow * 4096);

        bool Read(int count)
        {
            bool synchronous = true;
            for (int i = 0; i < count; i++)
            {
                ValueTask read = source.ReadAsync(i % 200 * 4096, buffer);
                synchronous &= read.IsCompletedSuccessfully;
                read.GetAwaiter().GetResult();
            }

            return synchronous;
        }
    }

    [GeneratedRegex(@"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}\|AUDIT\|th=[0-9A-F]{16}\|[a-z_:]+\[pathname=[^\]?]*\]\[offset=\d+\]\[size=\d+\]\[latency=\d+us\]$")]
    private static partial Regex Line();

    [GeneratedRegex(@"\[size=(\d+)\]")]
    private static partial Regex SizeField();
}
