// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>A device that cannot be opened: whoever makes it is told so at once, with the cause, and nothing of it is left.</summary>
internal static class RefusedDevice
{
    /// <summary>Makes the device in configfs, then by the control API, of a daemon that has no other.</summary>
    public static async Task AssertAsync(BackstoreDaemon daemon, string config, string cause)
    {
        ShellResult result = await ConfigFsDevice.TryAttachAsync(3, config);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("No such file or directory", result.Error, StringComparison.Ordinal);
        await ConfigFsDevice.DetachAsync(3);
        if (RegistryImage.TryReadResult(config) is { } outcome)
        {
            Assert.StartsWith("failed:", outcome, StringComparison.Ordinal);
            Assert.Contains(cause, outcome, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains(cause, daemon.ReadLog(), StringComparison.OrdinalIgnoreCase);

        // The control API answers with the cause, and takes its own steps back.
        (int status, JsonNode? answer) = await daemon.TrySendAsync(HttpMethod.Post, "devices", new JsonObject { ["config"] = config });
        Assert.InRange(status, 400, 599);
        Assert.Contains(cause, answer!["error"]!.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty((await daemon.GetAsync("devices"))["devices"]!.AsArray());
        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
        Assert.Empty(Directory.GetFiles(daemon["run/attachments"]));
        Assert.DoesNotContain("Trying again", daemon.ReadLog(), StringComparison.Ordinal);
    }
}
