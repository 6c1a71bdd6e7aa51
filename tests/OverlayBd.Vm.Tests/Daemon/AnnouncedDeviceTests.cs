// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>Devices that somebody else makes in configfs, as upstream's snapshotter does.</summary>
public sealed class AnnouncedDeviceTests(RegistryImage image) : IClassFixture<RegistryImage>
{
    [Fact]
    public async Task Device_ServesTheImage_IsListed_AndTellsSuccess()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        string config = image.WriteConfig(daemon);
        await using ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, config + ";first");

        Assert.Equal("success", RegistryImage.ReadResult(config));
        string sum = (await Shell.RunAsync("sha256sum", device.Path)).Split(' ')[0];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(image.Content)), sum);
        JsonNode listed = Assert.Single((await daemon.GetAsync("devices"))["devices"]!.AsArray())!;
        Assert.Equal("first", (string?)listed["id"]);
        Assert.Equal(device.Path, (string?)listed["devicePath"]);
        Assert.Equal("tcmu", (string?)listed["frontEnd"]);
        Assert.Equal("user_999999999/dev_1", (string?)listed["target"]);
        Assert.False((bool)listed["owned"]!);
        JsonNode statistics = await daemon.GetAsync("devices/first/stats");
        Assert.True((long)statistics["readBytes"]! >= RegistryImage.DiskSize);
        Assert.Equal(0, (long)statistics["errors"]!);

        (int status, JsonNode? refused) = await daemon.TrySendAsync(HttpMethod.Delete, "devices/first");
        Assert.Equal(409, status);
        Assert.Contains("configfs", (string?)refused!["error"]!["message"], StringComparison.Ordinal);
        await device.DetachAsync();
        Assert.Empty((await daemon.GetAsync("devices"))["devices"]!.AsArray());
        Assert.Empty(GuestKernel.Devices);
    }

    [Fact]
    public async Task SecondDevice_WithTheSameId_IsRefused_AndTheFirstGoesOn()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        await using ConfigFsDevice first = await ConfigFsDevice.AttachAsync(1, image.WriteConfig(daemon) + ";twin");
        string second = image.WriteConfig(daemon, "second");
        ShellResult result = await ConfigFsDevice.TryAttachAsync(2, second + ";twin");
        await ConfigFsDevice.DetachAsync(2);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal("failed:duplicated dev id: twin", RegistryImage.ReadResult(second));
        await Shell.RunAsync("dd", $"if={first.Path}", "of=/dev/null", "bs=1M", "count=4", "status=none");
        await using ConfigFsDevice again = await ConfigFsDevice.AttachAsync(2, second + ";other");
    }

    [Theory]
    [InlineData("malformed")]
    [InlineData("missing config")]
    [InlineData("missing layer")]
    [InlineData("wrong digest")]
    [InlineData("no registry")]
    [InlineData("unknown registry")]
    [InlineData("no credentials")]
    [InlineData("no upper")]
    public async Task Device_ThatCannotBeOpened_IsRefusedAtOnce_WithTheCause_AndLeavesNothing(string what)
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        if (what != "no credentials")
        {
            image.WriteCredentials(daemon);
        }

        (string config, string expected, bool hasResult) = Spoil(daemon, what);
        ShellResult result = await ConfigFsDevice.TryAttachAsync(3, config);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("No such file or directory", result.Error, StringComparison.Ordinal);
        await ConfigFsDevice.DetachAsync(3);
        if (hasResult)
        {
            string outcome = RegistryImage.ReadResult(config);
            Assert.StartsWith("failed:", outcome, StringComparison.Ordinal);
            Assert.Contains(expected, outcome, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains(expected, daemon.ReadLog(), StringComparison.OrdinalIgnoreCase);

        // The same by the control API, which answers with the cause and takes its own steps back.
        (int status, JsonNode? answer) = await daemon.TrySendAsync(HttpMethod.Post, "devices", new JsonObject { ["config"] = config });
        Assert.InRange(status, 400, 599);
        Assert.Contains(expected, answer!["error"]!.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty((await daemon.GetAsync("devices"))["devices"]!.AsArray());
        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
        Assert.Empty(Directory.GetFiles(daemon["run/attachments"]));
        Assert.DoesNotContain("Trying again", daemon.ReadLog(), StringComparison.Ordinal);
    }

    private (string Config, string Expected, bool HasResult) Spoil(BackstoreDaemon daemon, string what)
    {
        switch (what)
        {
            case "malformed":
                string malformed = image.WriteConfig(daemon);
                File.WriteAllText(malformed, "{\"lowers\": [{\"size\": \"many\"}]}");
                return (malformed, "lowers[0].size", false);
            case "missing config":
                return (daemon["nowhere/config.v1.json"], "config.v1.json", false);
            case "missing layer":
                string file = daemon["nothing.lsmt"];
                return (image.WriteConfig(daemon, change: config => config["lowers"] = new JsonArray(new JsonObject { ["file"] = file })), file, true);
            case "wrong digest":
                string digest = "sha256:" + new string('a', 64);
                return (image.WriteConfig(daemon, change: config => config["lowers"]![0]!["digest"] = digest), digest, true);
            case "no registry":
                return (image.WriteConfig(daemon, change: config => config["repoBlobUrl"] = "http://127.0.0.1:9/v2/a/b/blobs"), "127.0.0.1:9", true);
            case "unknown registry":
                string unknown = "http://registry.invalid/v2/a/b/blobs";
                return (image.WriteConfig(daemon, change: config => config["repoBlobUrl"] = unknown), "registry.invalid", true);
            case "no credentials":
                return (image.WriteConfig(daemon), "401", true);
            default:
                JsonObject upper = new() { ["data"] = daemon["no-data"], ["index"] = daemon["no-index"] };
                return (image.WriteConfig(daemon, upper: upper), "no-", true);
        }
    }
}
