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

    /// <summary>Enables devices one after the other, on one thread.</summary>
    public static Task<BareDevice[]> EnableAsync(string configuration, int count) => Wait.BlockingAsync(
        () =>
        {
            var devices = new BareDevice[count];
            for (int i = 0; i < count; i++)
            {
                devices[i] = new BareDevice();
                devices[i].Enable(configuration);
            }

            return devices;
        },
        $"enable {count} devices");

    public static Task RemoveAsync(BareDevice[] devices) => Wait.BlockingAsync(
        () => Array.ForEach(devices, static device => Directory.Delete(device._directory)),
        $"remove {devices.Length} devices");

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
