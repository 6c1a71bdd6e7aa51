// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A disk of the guest, such as /dev/sda.</summary>
internal sealed class TcmuDisk(TcmuServer server, TcmuTarget target, string path) : IAsyncDisposable
{
    private bool _detached;

    public string Path => path;

    public TcmuTarget Target => target;

    public TcmuDevice Device => server.DeviceOf(target);

    public TcmuDeviceStatistics Statistics => Device.Statistics;

    /// <summary>The number in a file below the disk's directory in sysfs.</summary>
    public long Number(string attribute) => long.Parse(Attribute(attribute), CultureInfo.InvariantCulture);

    /// <summary>The content of a file below the disk's directory in sysfs, such as "queue/logical_block_size".</summary>
    public string Attribute(string attribute) => File.ReadAllText(SysFs(attribute)).Trim();

    /// <summary>A path below the disk's directory in sysfs.</summary>
    public string SysFs(string name) => $"/sys/block/{System.IO.Path.GetFileName(path)}/{name}";

    public async Task<string> Sha256Async() => (await Shell.RunAsync("sha256sum", path)).Split(' ')[0];

    public async Task DetachAsync()
    {
        await Wait.BlockingAsync(target.Detach, $"detach {path}");
        _detached = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_detached)
        {
            await DetachAsync();
        }
    }
}
