// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>A device under measurement, and the process that serves it.</summary>
/// <param name="path">The device.</param>
/// <param name="server">The process whose time counts; null when the kernel serves it alone.</param>
/// <param name="detach">Takes the device away.</param>
internal sealed class AttachedContender(string path, Process? server, Func<ValueTask> detach) : IAsyncDisposable
{
    public string Path { get; } = path;

    /// <summary>Whether the device is served by this process, whose allocations can be counted.</summary>
    public bool IsOurs => server?.Id == Environment.ProcessId;

    /// <summary>The most memory the server had resident, in bytes; 0 without a server.</summary>
    public long PeakResident()
    {
        server?.Refresh();
        return server?.PeakWorkingSet64 ?? 0;
    }

    public TimeSpan ProcessorTime()
    {
        server?.Refresh();
        return server?.TotalProcessorTime ?? TimeSpan.Zero;
    }

    public ValueTask DisposeAsync() => detach();
}
