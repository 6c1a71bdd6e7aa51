// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Format;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>The TCMU driver, and what it stands beside: Debian's tcmu-runner on the raw file.</summary>
internal static class TcmuContenders
{
    private const string Subtype = "bench";

    public static bool KernelHasTcmu => Directory.Exists("/sys/module/target_core_user");

    public static Contender Limit(SampleImage image) => new("tcmu-runner, raw file", () => TcmuRunner.AttachAsync(image.RawFile));

    public static IEnumerable<Contender> All(SampleImage image) =>
    [
        new("TCMU, zeros", () => AttachAsync(new ZeroStore(SampleImage.Length))),
        new("TCMU, zeros, with epoll", () => AttachAsync(new ZeroStore(SampleImage.Length), ioUring: false)),
        new("TCMU, raw file", () => AttachAsync(FileBlockStore.Open(image.RawFile))),
        new("TCMU, image", async () => await AttachAsync(await image.OpenAsync())),
        new("TCMU, cached image", async () => await AttachAsync(await CachedImage.OpenAsync(image))),
    ];

    private static async Task<AttachedContender> AttachAsync(BlockStore store, bool ioUring = true)
    {
        TcmuHandler handler = await TcmuHandler.StartAsync(new OneStore(store), new() { Subtype = Subtype, IoUring = ioUring });
        TcmuTarget target = new("bench", new() { Subtype = Subtype, MaxDataAreaMegabytes = 16 });
        string device = await target.AttachAsync("store");
        return new(device, Process.GetCurrentProcess(), async () =>
        {
            target.Detach();
            await handler.DisposeAsync();
        });
    }

    private sealed class OneStore(BlockStore store) : ITcmuDeviceFactory
    {
        public ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken) => new(store);
    }
}
