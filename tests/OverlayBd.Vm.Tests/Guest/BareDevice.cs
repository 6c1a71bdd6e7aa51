// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A TCMU device without a disk.</summary>
internal sealed class BareDevice
{
    private const string Adapter = GuestKernel.Targets + "/core/user_1";
    private static int s_last;
    private readonly string _directory = $"{Adapter}/bare{Interlocked.Increment(ref s_last)}";

    private BareDevice()
    {
    }

    public static async Task<BareDevice> EnableAsync(string configuration)
    {
        var device = new BareDevice();
        await Wait.BlockingAsync(() => device.Enable(configuration), $"enable {device._directory}");
        return device;
    }

    public Task RemoveAsync() => Wait.BlockingAsync(() => Directory.Delete(_directory), $"remove {_directory}");

    private void Enable(string configuration)
    {
        Directory.CreateDirectory(_directory);
        Write("control", $"dev_config={TcmuServer.Subtype}/{configuration}");
        Write("control", "max_data_area_mb=1");
        Write("control", "cmd_ring_size_mb=1");
        Write("enable", "1");
    }

    private void Write(string attribute, string value) => File.WriteAllText($"{_directory}/{attribute}", value);
}
