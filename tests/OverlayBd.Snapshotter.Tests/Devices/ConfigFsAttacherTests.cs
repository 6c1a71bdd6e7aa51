// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Devices;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Devices;

/// <summary>What the attacher makes of states of configfs and sysfs that last for an instant; all else is tested on a kernel.</summary>
public sealed class ConfigFsAttacherTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly ConfigFsAttacher _attacher;
    private readonly BlockDeviceRequest _request = new(7, "/root/snapshots/7/block/config.v1.json", "/nowhere");

    public ConfigFsAttacherTests()
    {
        _attacher = new(new ConfigFsOptions
        {
            TargetRoot = _directory["target"],
            SysFsRoot = _directory["sys"],
            DeviceRoot = _directory["dev"],
        });
        Write("target/core/user_999999999/dev_7/attrib/dev_config", "overlaybd/" + _request.ConfigPath + "\n");
        Write("target/loopback/naa.1990000000000007/tpgt_1/address", "3:0:1\n");
        Write("target/loopback/naa.1990000000000007/tpgt_1/lun/lun_0/dev_7", "");
        Directory.CreateDirectory(_directory["sys/class/scsi_device/3:0:1:0/device/block/sdb"]);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Disk_IsFound_OnlyOnceTheKernelHasMadeAllOfIt()
    {
        Assert.Null(await _attacher.FindAsync(_request, TestContext.Current.CancellationToken));
        Write("dev/sdb", "");
        Assert.Null(await _attacher.FindAsync(_request, TestContext.Current.CancellationToken));
        Directory.CreateDirectory(_directory["sys/block/sdb"]);
        Assert.Equal(_directory["dev/sdb"], await _attacher.FindAsync(_request, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(";id", true)]
    [InlineData(".other", false)]
    public async Task Disk_OfAnotherConfig_IsNotTheSnapshots(string suffix, bool isFound)
    {
        Write("dev/sdb", "");
        Directory.CreateDirectory(_directory["sys/block/sdb"]);
        Write("target/core/user_999999999/dev_7/attrib/dev_config", "overlaybd/" + _request.ConfigPath + suffix + "\n");
        Assert.Equal(isFound, await _attacher.FindAsync(_request, TestContext.Current.CancellationToken) is not null);
        if (!isFound)
        {
            SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(
                async () => await _attacher.AttachAsync(_request, TestContext.Current.CancellationToken));
            Assert.Equal(SnapshotError.FailedPrecondition, error.Error);
            await _attacher.DetachAsync(_request, TestContext.Current.CancellationToken);
            Assert.True(File.Exists(_directory["target/loopback/naa.1990000000000007/tpgt_1/lun/lun_0/dev_7"]));
        }
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory[name])!);
        File.WriteAllText(_directory[name], text);
    }
}
