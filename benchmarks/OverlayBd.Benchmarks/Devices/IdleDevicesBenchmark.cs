// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using OverlayBd.Format;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>What does a device cost that nobody reads? Many TCMU devices of one image in one process; the limit is nothing at all.</summary>
internal static class IdleDevicesBenchmark
{
    private const string Subtype = "bench";
    private const int AtOnce = 200;

    /// <param name="arguments">How many devices.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        int count = arguments is [string text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 1000;
        DirectoryInfo directory = Directory.CreateTempSubdirectory("overlaybd-bench-");
        List<TcmuTarget> targets = [.. Enumerable.Range(0, count).Select(number => new TcmuTarget(
            string.Create(CultureInfo.InvariantCulture, $"idle{number}"), new() { Subtype = Subtype }))];
        try
        {
            SampleImage image = new(directory.FullName);
            await image.CreateAsync();
            await using TcmuHandler handler = await TcmuHandler.StartAsync(new ImageFactory(image), new() { Subtype = Subtype });
            try
            {
                await AttachAsync(targets, handler);
            }
            finally
            {
                // While somebody answers for them: the kernel still asks each disk whether there is something to flush.
                Stopwatch clock = Stopwatch.StartNew();
                targets.ForEach(target => target.Detach());
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"all gone after {clock.Elapsed.TotalSeconds:F0} s"));
            }

            return 0;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task AttachAsync(List<TcmuTarget> targets, TcmuHandler handler)
    {
        long before = Resident();
        Stopwatch clock = Stopwatch.StartNew();
        foreach (TcmuTarget[] together in targets.Chunk(AtOnce))
        {
            await Task.WhenAll(together.Select(target => target.AttachAsync("image")));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{handler.Devices.Count} devices after {clock.Elapsed.TotalSeconds:F0} s: {Resident() >> 20} MiB resident, {(Resident() - before) / handler.Devices.Count / 1024.0:F0} KiB a device"));
        }
    }

    private static long Resident()
    {
        GC.Collect();
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }

    private sealed class ImageFactory(SampleImage image) : ITcmuDeviceFactory
    {
        public async ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken) => await image.OpenAsync();
    }
}
