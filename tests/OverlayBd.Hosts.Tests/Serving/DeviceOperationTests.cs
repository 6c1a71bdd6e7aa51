// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Hosts.Tests.Serving;

/// <summary>What the control API does to a device in use, here through FUSE.</summary>
public sealed class DeviceOperationTests(TestImage image) : IClassFixture<TestImage>, IAsyncLifetime
{
    private readonly RunningDaemon _daemon = new();

    public ValueTask InitializeAsync() => _daemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Health_TellsTheFrontEnds()
    {
        JsonNode health = (await _daemon.AskAsync(HttpMethod.Get, "health"))!;
        Assert.Equal("ok", (string?)health["status"]);
        Assert.Contains(health["frontEnds"]!.AsArray(), state => (string?)state!["name"] == "fuse" && (bool)state["available"]!);
        Assert.Equal(0, (long)health["hung"]!);
        Assert.Empty(health["waiting"]!.AsArray());
    }

    [Fact]
    public async Task Attach_ThroughTcmu_WhereThereIsNone_SaysWhy()
    {
        (HttpStatusCode status, JsonNode? answer) = await _daemon.TryAskAsync(
            HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name, ["frontEnd"] = "tcmu" });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("unavailable", (string?)answer!["error"]!["code"]);
    }

    [Fact]
    public async Task Attach_ThroughAnUnknownFrontEnd_IsRefused()
    {
        (HttpStatusCode status, _) = await _daemon.TryAskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name, ["frontEnd"] = "nbd" });
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resize_MakesTheBlockDeviceLonger(bool sparse)
    {
        JsonNode device = await AttachWritableAsync(sparse);
        string path = (string)device["devicePath"]!;
        long size = (long)device["size"]! * 2;
        JsonNode resized = (await _daemon.AskAsync(HttpMethod.Post, $"devices/{(string)device["id"]!}/resize", new JsonObject { ["size"] = size }))!;
        Assert.Equal(size, (long)resized["size"]!);
        Assert.Equal($"{size}\n", await CommandLineFixture.HostAsync("blockdev", "--getsize64", path));
        await CommandLineFixture.HostAsync("dd", "if=/dev/urandom", $"of={path}", "bs=64k", "count=1", $"seek={(size >> 16) - 1}", "oflag=direct", "status=none");
        (HttpStatusCode status, _) = await _daemon.TryAskAsync(
            HttpMethod.Post, $"devices/{(string)device["id"]!}/resize", new JsonObject { ["size"] = 4096 });
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task Snapshot_OfWhatIsReadOnly_IsRefused()
    {
        JsonNode device = (await _daemon.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name }))!;
        await File.WriteAllTextAsync(_daemon["next.json"], """{"lowers":[],"upper":{"data":"/x","index":"/y"}}""");
        (HttpStatusCode status, JsonNode? answer) = await _daemon.TryAskAsync(
            HttpMethod.Post, $"devices/{(string)device["id"]!}/snapshot", new JsonObject { ["config"] = _daemon["next.json"] });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("read-only", (string?)answer!["error"]!["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Snapshot_GoesOnInTheNewUpper()
    {
        JsonNode device = await AttachWritableAsync(sparse: false);
        string path = (string)device["devicePath"]!;
        await CommandLineFixture.HostAsync("dd", $"if={image.RawDisk}", $"of={path}", "bs=64k", "count=4", "seek=900", "conv=fsync", "status=none");
        LsmtWritableImage upper = await LsmtWritableImage.CreateAsync(_daemon["data2"], _daemon["index2"], new() { VirtualSize = (long)device["size"]! });
        await upper.DisposeAsync();
        JsonObject next = new()
        {
            ["repoBlobUrl"] = "",
            ["lowers"] = new JsonArray(new JsonObject { ["file"] = image.Layer }, new JsonObject { ["file"] = _daemon["data"] }),
            ["upper"] = new JsonObject { ["data"] = _daemon["data2"], ["index"] = _daemon["index2"] },
            ["resultFile"] = "",
        };
        await File.WriteAllTextAsync(_daemon["next.json"], next.ToJsonString());
        await _daemon.AskAsync(HttpMethod.Post, $"devices/{(string)device["id"]!}/snapshot", new JsonObject { ["config"] = _daemon["next.json"] });
        await CommandLineFixture.HostAsync("dd", $"if={image.RawDisk}", $"of={path}", "bs=64k", "count=4", "seek=950", "conv=fsync", "status=none");
        await _daemon.AskAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");

        device = (await _daemon.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["config"] = _daemon["next.json"] }))!;
        foreach (int place in new[] { 900, 950 })
        {
            await CommandLineFixture.HostAsync("cmp", "--bytes", $"{256 << 10}", "--ignore-initial", $"0:{place << 16}", image.RawDisk, (string)device["devicePath"]!);
        }
    }

    [Fact]
    public async Task Trace_IsRecordedOnARunningDevice_AndReplayed()
    {
        JsonNode device = (await _daemon.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name }))!;
        string route = $"devices/{(string)device["id"]!}/trace";
        string trace = _daemon["trace"];
        JsonNode state = (await _daemon.AskAsync(HttpMethod.Post, route, new JsonObject { ["path"] = trace }))!;
        Assert.True((bool)state["recording"]!);
        (HttpStatusCode status, _) = await _daemon.TryAskAsync(HttpMethod.Post, route, new JsonObject { ["path"] = trace });
        Assert.Equal(HttpStatusCode.Conflict, status);
        await CommandLineFixture.HostAsync("dd", $"if={(string)device["devicePath"]!}", "of=/dev/null", "bs=1M", "iflag=direct", "status=none");
        Assert.False(File.Exists(trace));
        state = (await _daemon.AskAsync(HttpMethod.Delete, route))!;
        Assert.False((bool)state["recording"]!);
        Assert.True((long)state["recordedReads"]! > 0);
        Assert.Equal(24 * (1 + (long)state["recordedReads"]!), new FileInfo(trace).Length);
        (status, _) = await _daemon.TryAskAsync(HttpMethod.Get, route);
        Assert.Equal(HttpStatusCode.NotFound, status);

        JsonNode again = (await _daemon.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name, ["replay"] = trace }))!;
        JsonNode statistics = (await _daemon.AskAsync(HttpMethod.Get, $"devices/{(string)again["id"]!}/stats"))!;
        Assert.Contains((string?)statistics["replay"]!["state"], new[] { "playing", "completed" });
    }

    private async Task<JsonNode> AttachWritableAsync(bool sparse) => (await _daemon.AskAsync(HttpMethod.Post, "devices", new JsonObject
    {
        ["layers"] = new JsonArray(image.Layer),
        ["upper"] = new JsonObject { ["data"] = _daemon["data"], ["index"] = _daemon["index"], ["sparse"] = sparse },
    }))!;
}
