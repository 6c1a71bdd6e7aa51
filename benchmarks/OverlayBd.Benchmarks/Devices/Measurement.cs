// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>The best of several rounds: on a busy machine a bad round says nothing about the device.</summary>
internal sealed class Measurement
{
    private const int WarmUpSeconds = 1;

    public double PerSecond { get; private set; }

    /// <summary>Processor time of the server for one request, in microseconds.</summary>
    public double ProcessorTime { get; private set; } = double.PositiveInfinity;

    /// <summary>Managed bytes that the serving process allocated in the middle half of a run; null when another process serves.</summary>
    public long? Allocated { get; private set; }

    /// <summary>About how many requests it served meanwhile.</summary>
    public long AllocatedIn { get; private set; }

    public async Task TakeAsync(FioWorkload workload, AttachedContender device, int seconds)
    {
        // What is made once, buffers and compiled code, is no cost of a request.
        await workload.RunAsync(device.Path, WarmUpSeconds);
        TimeSpan processor = device.ProcessorTime();
        Task<FioResult> running = workload.RunAsync(device.Path, seconds);
        (long allocated, TimeSpan window) = device.IsOurs ? await CountAllocationsAsync(seconds) : default;
        FioResult result = await running;
        if (device.IsOurs && !(Allocated <= allocated))
        {
            (Allocated, AllocatedIn) = (allocated, (long)(result.PerSecond * window.TotalSeconds));
        }

        ProcessorTime = Math.Min(ProcessorTime, (device.ProcessorTime() - processor).TotalMicroseconds / result.Requests);
        PerSecond = Math.Max(PerSecond, result.PerSecond);
    }

    /// <summary>Looks twice while fio, which then says nothing, is at work. In between nothing but the server runs in this process:
    /// this thread sleeps and awaits nothing.</summary>
    private static async Task<(long Bytes, TimeSpan Window)> CountAllocationsAsync(int seconds)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds / 4.0));
        long started = Stopwatch.GetTimestamp();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Thread.Sleep(TimeSpan.FromSeconds(seconds / 2.0));
        long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
        return (bytes, Stopwatch.GetElapsedTime(started));
    }
}
