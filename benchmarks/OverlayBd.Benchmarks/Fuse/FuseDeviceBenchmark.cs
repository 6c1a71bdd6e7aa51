// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using OverlayBd.Format;
using OverlayBd.Fuse;

namespace OverlayBd.Benchmarks.Fuse;

/// <summary>How fast is the FUSE and loop device, beside a loop device on the same raw file?</summary>
/// <remarks>Rounds take turns, and the best of each counts: on a busy machine a bad round says nothing about the device.</remarks>
internal static class FuseDeviceBenchmark
{
    private const int Rounds = 3;
    private const long Length = 256 << 20;

    public static async Task<int> RunAsync(string[] arguments)
    {
        int seconds = arguments is [string text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 3;
        DirectoryInfo directory = Directory.CreateTempSubdirectory("overlaybd-bench-");
        string file = Path.Combine(directory.FullName, "raw");
        string? loop = null;
        try
        {
            await File.WriteAllBytesAsync(file, SampleData.Load((int)Length));
            loop = (await CaptureAsync("losetup", "--find", "--show", "--read-only", file)).Trim();
            await using FuseBlockDevice cached = await FuseBlockDevice.AttachAsync(
                FileBlockStore.Open(file), new FuseBlockDeviceOptions { Name = "bench-file", ReadOnly = true });
            await using FuseBlockDevice zeros = await FuseBlockDevice.AttachAsync(
                new ZeroStore(Length), new FuseBlockDeviceOptions { Name = "bench-zero", ReadOnly = true });
            Console.WriteLine("| workload | limit: loop on the raw file | FUSE, same file | ratio | FUSE, zeros | ratio | CPU us/request | B allocated/request |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|");
            foreach (FioWorkload workload in FioWorkload.All)
            {
                await MeasureAsync(workload, loop, cached.DevicePath, zeros.DevicePath, seconds);
            }

            return 0;
        }
        finally
        {
            if (loop is not null)
            {
                await CaptureAsync("losetup", "--detach", loop);
            }

            directory.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(FioWorkload workload, string limit, string cached, string zeros, int seconds)
    {
        double bestLimit = 0;
        double bestCached = 0;
        double bestZeros = 0;
        double cpu = double.MaxValue;
        double allocated = double.MaxValue;
        for (int i = 0; i < Rounds; i++)
        {
            bestLimit = Math.Max(bestLimit, (await workload.RunAsync(limit, seconds)).PerSecond);
            TimeSpan cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
            long before = GC.GetTotalAllocatedBytes(precise: true);
            FioResult result = await workload.RunAsync(cached, seconds);
            allocated = Math.Min(allocated, (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / result.Requests);
            cpu = Math.Min(cpu, (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalMicroseconds / result.Requests);
            bestCached = Math.Max(bestCached, result.PerSecond);
            bestZeros = Math.Max(bestZeros, (await workload.RunAsync(zeros, seconds)).PerSecond);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {workload.Name} | {bestLimit:F0} | {bestCached:F0} | {bestCached / bestLimit:F2} | {bestZeros:F0} | {bestZeros / bestLimit:F2} | {cpu:F1} | {allocated:F2} |"));
    }

    private static async Task<string> CaptureAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }
}
