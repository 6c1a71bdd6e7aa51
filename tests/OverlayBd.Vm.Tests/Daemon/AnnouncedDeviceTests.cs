// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>Devices that somebody else makes in configfs, as upstream's snapshotter does.</summary>
[Collection<ImageInRegistry>]
public sealed class AnnouncedDeviceTests(RegistryImage image, SharedBackstore shared) : IClassFixture<SharedBackstore>
{
    private readonly BackstoreDaemon _daemon = shared.Daemon;

    [Fact]
    public async Task Device_ServesTheImage_IsListed_AndTellsSuccess()
    {
        string config = image.WriteConfig(_daemon);
        await using ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, config + ";first");

        Assert.Equal("success", RegistryImage.ReadResult(config));
        await Shell.RunAsync("cmp", device.Path, image.ContentPath);
        JsonNode listed = Assert.Single((await _daemon.GetAsync("devices"))["devices"]!.AsArray())!;
        Assert.Equal("first", (string?)listed["id"]);
        Assert.Equal(device.Path, (string?)listed["devicePath"]);
        Assert.Equal("tcmu", (string?)listed["frontEnd"]);
        Assert.Equal("user_999999999/dev_1", (string?)listed["target"]);
        Assert.False((bool)listed["owned"]!);
        JsonNode statistics = await _daemon.GetAsync("devices/first/stats");
        Assert.True((long)statistics["readBytes"]! >= RegistryImage.DiskSize);
        Assert.Equal(0, (long)statistics["errors"]!);

        (int status, JsonNode? refused) = await _daemon.TrySendAsync(HttpMethod.Delete, "devices/first");
        Assert.Equal(409, status);
        Assert.Contains("configfs", (string?)refused!["error"]!["message"], StringComparison.Ordinal);
        await device.DetachAsync();
        Assert.Empty((await _daemon.GetAsync("devices"))["devices"]!.AsArray());
        Assert.Empty(GuestKernel.Devices);
    }

    [Fact]
    public async Task SecondDevice_WithTheSameId_IsRefused_AndTheFirstGoesOn()
    {
        await using ConfigFsDevice first = await ConfigFsDevice.AttachAsync(1, image.WriteConfig(_daemon, "twin") + ";twin");
        string second = image.WriteConfig(_daemon, "second");
        ShellResult result = await ConfigFsDevice.TryAttachAsync(2, second + ";twin");
        await ConfigFsDevice.DetachAsync(2);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal("failed:duplicated dev id: twin", RegistryImage.ReadResult(second));
        await Shell.RunAsync("dd", $"if={first.Path}", "of=/dev/null", "bs=1M", "count=4", "status=none");
        await using ConfigFsDevice again = await ConfigFsDevice.AttachAsync(2, second + ";other");
    }

    [Theory]
    [InlineData("malformed", false)]
    [InlineData("missing config", false)]
    [InlineData("missing layer", true)]
    [InlineData("wrong digest", true)]
    [InlineData("no upper", true)]
    public async Task Device_ThatCannotBeOpened_IsRefusedAtOnce_WithTheCause_AndLeavesNothing(string what, bool hasResult)
    {
        (string config, string expected) = Spoil(what);
        await RefusedDevice.AssertAsync(_daemon, config, expected);

        // A config that cannot be read does not say where the result is to be.
        Assert.Equal(hasResult, RegistryImage.TryReadResult(config) is not null);
    }

    private (string Config, string Expected) Spoil(string what)
    {
        switch (what)
        {
            case "malformed":
                string malformed = image.WriteConfig(_daemon, what);
                File.WriteAllText(malformed, "{\"lowers\": [{\"size\": \"many\"}]}");
                return (malformed, "lowers[0].size");
            case "missing config":
                return (_daemon["nowhere/config.v1.json"], "config.v1.json");
            case "missing layer":
                string file = _daemon["nothing.lsmt"];
                return (image.WriteConfig(_daemon, what, change: config => config["lowers"] = new JsonArray(new JsonObject { ["file"] = file })), file);
            case "wrong digest":
                string digest = "sha256:" + new string('a', 64);
                return (image.WriteConfig(_daemon, what, change: config => config["lowers"]![0]!["digest"] = digest), digest);
            default:
                JsonObject upper = new() { ["data"] = _daemon["no-data"], ["index"] = _daemon["no-index"] };
                return (image.WriteConfig(_daemon, what, upper: upper), "no-");
        }
    }
}
