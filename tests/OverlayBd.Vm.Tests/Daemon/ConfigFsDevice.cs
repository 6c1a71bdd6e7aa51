// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>A device that is made as upstream's snapshotter makes it, with nothing but mkdir, echo and ln.</summary>
internal sealed class ConfigFsDevice : IAsyncDisposable
{
    private const string Attach = """
        set -e
        target=/sys/kernel/config/target/core/user_999999999/dev_$1
        loop=/sys/kernel/config/target/loopback/naa.199$(printf %013d "$1")
        lun=$loop/tpgt_1/lun/lun_0
        mkdir -p -m 700 $target
        echo -n "dev_config=overlaybd/$2" > $target/control
        echo -n max_data_area_mb=4 > $target/control
        echo -n 1 > $target/enable
        echo -n 2147483 > $target/attrib/cmd_time_out
        mkdir -p -m 700 $loop; mkdir -p -m 700 $lun
        echo -n ${loop##*/} > $loop/tpgt_1/nexus
        ln -s $target $lun/dev_$1
        address=$(cat $loop/tpgt_1/address)
        for i in $(seq 100); do
          disk=$(ls /sys/class/scsi_device/$address:0/device/block 2>/dev/null || true)
          [ -n "$disk" ] && [ -b /dev/$disk ] && break
          sleep 0.02
        done
        echo -n 2147483 > /sys/block/$disk/device/timeout
        echo /dev/$disk
        """;

    private const string Detach = """
        target=/sys/kernel/config/target/core/user_999999999/dev_$1
        loop=/sys/kernel/config/target/loopback/naa.199$(printf %013d "$1")
        [ ! -L $loop/tpgt_1/lun/lun_0/dev_$1 ] || rm $loop/tpgt_1/lun/lun_0/dev_$1
        for d in $loop/tpgt_1/lun/lun_0 $loop/tpgt_1 $loop $target; do [ ! -d $d ] || rmdir $d; done
        """;

    private readonly int _number;
    private bool _detached;

    private ConfigFsDevice(int number, string path)
    {
        _number = number;
        Path = path;
    }

    public string Path { get; }

    /// <summary>Makes a device that can be made.</summary>
    public static async Task<ConfigFsDevice> AttachAsync(int number, string configuration)
    {
        ShellResult result = await TryAttachAsync(number, configuration);
        if (result.ExitCode != 0)
        {
            await DetachAsync(number);
        }

        Assert.True(result.ExitCode == 0, $"dev_{number} of {configuration}: {result.Error}\n{KernelLog.Tail()}");
        return new(number, result.Output.Trim());
    }

    /// <summary>Tries to make a device; what was made stays for <see cref="DetachAsync(int)"/>.</summary>
    public static Task<ShellResult> TryAttachAsync(int number, string configuration) =>
        Shell.TryRunAsync("bash", "-c", Attach, "attach", Text(number), configuration);

    public static Task<string> DetachAsync(int number) => Shell.RunAsync("bash", "-c", Detach, "detach", Text(number));

    public async Task DetachAsync()
    {
        await DetachAsync(_number);
        _detached = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_detached)
        {
            await DetachAsync();
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
