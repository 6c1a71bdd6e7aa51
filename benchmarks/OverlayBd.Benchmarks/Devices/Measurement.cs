// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks.Devices;

/// <summary>The best of several rounds: on a busy machine a bad round says nothing about the device.</summary>
internal sealed class Measurement
{
    private const int WarmUpSeconds = 1;

    public double PerSecond { get; private set; }

    /// <summary>Processor time of the server for one request, in microseconds.</summary>
    public double ProcessorTime { get; private set; } = double.PositiveInfinity;

    /// <summary>Managed bytes allocated for one request, fio's handling in this process included; null when another process serves.</summary>
    public double? Allocated { get; private set; }

    public async Task TakeAsync(FioWorkload workload, AttachedContender device, int seconds)
    {
        // What is made once, buffers and compiled code, is no cost of a request.
        await workload.RunAsync(device.Path, WarmUpSeconds);
        TimeSpan processor = device.ProcessorTime();
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        FioResult result = await workload.RunAsync(device.Path, seconds);
        if (device.IsOurs)
        {
            double perRequest = (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / result.Requests;
            Allocated = Math.Min(Allocated ?? perRequest, perRequest);
        }

        ProcessorTime = Math.Min(ProcessorTime, (device.ProcessorTime() - processor).TotalMicroseconds / result.Requests);
        PerSecond = Math.Max(PerSecond, result.PerSecond);
    }
}
