// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Format;
using OverlayBd.Fuse;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>The FUSE and loop device, and its limit: a loop device on the raw file.</summary>
internal static class FuseContenders
{
    public static Contender Limit(SampleImage image) => new("loop, raw file", async () =>
    {
        string device = await Programs.RunAsync("losetup", "--find", "--show", "--read-only", image.RawFile);
        return new(device, server: null, async () => await Programs.RunAsync("losetup", "--detach", device));
    });

    public static IEnumerable<Contender> All(SampleImage image) =>
    [
        new("FUSE, zeros", () => AttachAsync(new ZeroStore(SampleImage.Length))),
        new("FUSE, raw file", () => AttachAsync(FileBlockStore.Open(image.RawFile))),
        new("FUSE, image", async () => await AttachAsync(await image.OpenAsync())),
        new("FUSE, cached image", async () => await AttachAsync(await CachedImage.OpenAsync(image))),
    ];

    private static async Task<AttachedContender> AttachAsync(BlockStore store)
    {
        FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { Name = "bench", ReadOnly = true });
        return new(device.DevicePath, Process.GetCurrentProcess(), device.DisposeAsync);
    }
}
