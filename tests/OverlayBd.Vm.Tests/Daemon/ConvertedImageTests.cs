// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using OverlayBd.EndToEnd.Tests;
using OverlayBd.Format.Oci;
using OverlayBd.Testing.Trees;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>A converted image through TCMU: the kernel's ext4 shows what the original's layers make.</summary>
public sealed class ConvertedImageTests(ConvertedTortureImage image) : IClassFixture<ConvertedTortureImage>
{
    [Fact]
    public async Task Tree_EqualsTheOriginal_WhenTheKernelMountsIt()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        string repository = image.Target.Name;
        JsonObject config = new()
        {
            ["repoBlobUrl"] = $"http://{repository[..repository.IndexOf('/')]}/v2/{repository[(repository.IndexOf('/') + 1)..]}/blobs",
            ["lowers"] = new JsonArray([.. image.Manifest.Layers.Select((Descriptor layer) => (JsonNode)new JsonObject
            {
                ["digest"] = layer.Digest.ToString(),
                ["size"] = layer.Size,
                ["dir"] = daemon["layers"],
            })]),
            ["upper"] = new JsonObject(),
            ["resultFile"] = daemon["init-debug.log"],
        };
        await File.WriteAllTextAsync(daemon["config.v1.json"], config.ToJsonString());
        await using ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, daemon["config.v1.json"]);
        await Shell.RunAsync("e2fsck", "-fn", device.Path);
        await using FileSystem files = await FileSystem.MountAsync(device.Path, "ro");
        Assert.Empty(FileTree.Compare(TortureImage.Tree(), FileTree.FromDirectory(files.Path)));
        await files.UnmountAsync();
    }
}
