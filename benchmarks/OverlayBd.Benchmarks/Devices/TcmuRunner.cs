// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>Debian's tcmu-runner, whose qcow handler also serves raw files.</summary>
internal static class TcmuRunner
{
    private const uint ProcessIdMask = (1 << 22) - 1; // of a socket's address, as libnl makes them
    private const string Core = "/sys/kernel/config/target/core/user_1/bench";
    private const string Fabric = "/sys/kernel/config/target/loopback/naa.5001405000000001";
    private const string Group = Fabric + "/tpgt_1";
    private const string Lun = Group + "/lun/lun_0";

    public static async Task<AttachedContender> AttachAsync(string file)
    {
        await StartBusAsync();
        Process server = Process.Start(new ProcessStartInfo("tcmu-runner") { RedirectStandardOutput = true, RedirectStandardError = true })!;
        server.OutputDataReceived += (_, _) => { };
        server.ErrorDataReceived += (_, _) => { };
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        try
        {
            await WaitUntilItListensAsync(server);
            Directory.CreateDirectory(Core);

            // Commands of 1 MiB, as our driver announces them; the default of tcmu-runner is 64 KiB.
            Write(Core + "/control", $"dev_size={new FileInfo(file).Length},hw_max_sectors=2048,max_data_area_mb=16,dev_config=qcow/{file}");
            Write(Core + "/enable", "1");
            Directory.CreateDirectory(Lun);
            Write(Group + "/nexus", "naa.5001405000000002");
            File.CreateSymbolicLink(Lun + "/bench", Core);
            string device = await FindDeviceAsync((await File.ReadAllTextAsync(Group + "/address")).Trim());
            return new(device, server, () => DetachAsync(server));
        }
        catch
        {
            await DetachAsync(server);
            throw;
        }
    }

    // It says so nowhere, but the kernel knows who is in the group of announcements. Before, enabling hangs or succeeds without it.
    private static async Task WaitUntilItListensAsync(Process server)
    {
        for (int attempt = 0; attempt < 300; attempt++)
        {
            foreach (string line in await File.ReadAllLinesAsync("/proc/net/netlink"))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "16", string owner, string groups, ..]
                    && (uint.Parse(owner, CultureInfo.InvariantCulture) & ProcessIdMask) == server.Id && groups != "00000000")
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(200)); // it sets its features next
                    return;
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        throw new InvalidOperationException("tcmu-runner does not listen for devices.");
    }

    private static async Task StartBusAsync()
    {
        if (!File.Exists("/run/dbus/system_bus_socket"))
        {
            Directory.CreateDirectory("/run/dbus");
            await Programs.RunAsync("dbus-daemon", "--system", "--fork", "--nopidfile");
        }
    }

    private static async Task<string> FindDeviceAsync(string address)
    {
        string blocks = $"/sys/class/scsi_device/{address}:0/device/block";
        for (int attempt = 0; attempt < 100; attempt++)
        {
            if (Directory.Exists(blocks) && Directory.EnumerateDirectories(blocks).FirstOrDefault() is { } disk)
            {
                return "/dev/" + Path.GetFileName(disk);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        throw new InvalidOperationException("The kernel showed no disk for tcmu-runner's device.");
    }

    private static async ValueTask DetachAsync(Process server)
    {
        if (Directory.Exists(Lun))
        {
            File.Delete(Lun + "/bench");
        }

        foreach (string directory in (string[])[Lun, Group, Fabric, Core])
        {
            if (Directory.Exists(directory))
            {
                await Programs.RunAsync("rmdir", directory);
            }
        }

        await Programs.RunAsync("kill", server.Id.ToString(CultureInfo.InvariantCulture));
        await server.WaitForExitAsync();
        server.Dispose();
    }

    private static void Write(string path, string text)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
