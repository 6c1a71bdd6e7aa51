// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>Devices whose registry does not let the daemon in, which has nothing of the image in its cache and got no token.</summary>
[Collection<ImageInRegistry>]
public sealed class UnreachableRegistryTests(RegistryImage image, SharedBackstore shared) : IClassFixture<SharedBackstore>
{
    [Theory]
    [InlineData("http://127.0.0.1:9/v2/a/b/blobs", "127.0.0.1:9")]
    [InlineData("http://registry.invalid/v2/a/b/blobs", "registry.invalid")]
    [InlineData(null, "401")]
    public async Task Device_IsRefusedAtOnce_WithTheCause_AndLeavesNothing(string? address, string cause)
    {
        BackstoreDaemon daemon = shared.Daemon;
        string config = image.WriteConfig(daemon, cause, change: config => config["repoBlobUrl"] = address ?? config["repoBlobUrl"]!.DeepClone());
        if (address is null)
        {
            File.Delete(daemon["cred.json"]);
        }

        await RefusedDevice.AssertAsync(daemon, config, cause);
        Assert.StartsWith("failed:", RegistryImage.ReadResult(config), StringComparison.Ordinal);
    }
}
