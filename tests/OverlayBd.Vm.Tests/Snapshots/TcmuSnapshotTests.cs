// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Snapshotter;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Tcmu;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Snapshots;

/// <summary>The snapshotter on real TCMU devices, served by a handler that serves one disk for every image.</summary>
public sealed class TcmuSnapshotTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private readonly StoreFactory _factory = new();
    private TcmuHandler _handler = null!;
    private OverlayBdSnapshotter _snapshotter = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory["content"]);
        await File.WriteAllTextAsync(_directory["content/hello"], "hello from the image");
        using (FileStream disk = File.Create(_directory["disk"]))
        {
            disk.SetLength(16 << 20);
        }

        await Shell.RunAsync("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", _directory["content"], _directory["disk"]);
        _handler = await TcmuHandler.StartAsync(_factory, new TcmuHandlerOptions());
        _snapshotter = await OpenAsync();
        Assert.True(ConfigFsAttacher.IsAvailable(new()));
    }

    public async ValueTask DisposeAsync()
    {
        await _snapshotter.DisposeAsync();
        await _handler.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Container_RunsOnADevice_ThatComesBackAfterAReboot_AndGoesWithTheImage()
    {
        await ProvideAsync("image");
        _factory[ConfigOf(1)] = _ => new(FileBlockStore.Open(_directory["disk"]));
        IReadOnlyList<SnapshotMount> mounts = await _snapshotter.PrepareAsync("one", "image");
        Assert.Equal(["dev_1"], GuestKernel.Devices.Select(Path.GetFileName));
        Assert.Equal(["naa.1990000000000001"], GuestKernel.LoopbackTargets.Select(Path.GetFileName));
        await CheckAsync(mounts);

        // Another container shares the device, and so does one that finds it without its mount.
        await _snapshotter.PrepareAsync("two", "image");
        await Shell.RunAsync("umount", MountPointOf(1));
        await CheckAsync(await _snapshotter.MountsAsync("two"));
        Assert.Single(GuestKernel.Devices);

        await Shell.RunAsync("umount", MountPointOf(1));
        await new ConfigFsAttacher(new()).DetachAsync(new(1, ConfigOf(1), ""));
        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
        await _snapshotter.DisposeAsync();
        _snapshotter = await OpenAsync();
        await CheckAsync(await _snapshotter.MountsAsync("one"));

        foreach (string key in new[] { "one", "two", "image" })
        {
            await _snapshotter.RemoveAsync(key);
        }

        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["root/snapshots"]));
    }

    [Fact]
    public async Task Attach_ThatTheBackstoreRefuses_TellsTheCauseOfItsResultFile_AndLeavesNothing()
    {
        await ProvideAsync("image");
        _factory[ConfigOf(1)] = _ =>
        {
            File.WriteAllText(_directory["root/snapshots/1/block/init-debug.log"], "failed:Authentication failed");
            throw new IOException("refused");
        };
        SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(() => _snapshotter.PrepareAsync("one", "image"));
        Assert.Contains("Authentication failed", error.Message, StringComparison.Ordinal);
        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
        await _snapshotter.RemoveAsync("image");
    }

    [Fact]
    public async Task DeviceOfAnotherSnapshotter_WithTheSameNumber_IsNeitherMountedNorTakenDown()
    {
        // As a snapshotter leaves it whose directory was deleted.
        string other = _directory["other/config.v1.json"];
        Directory.CreateDirectory(_directory["other"]);
        BlockDeviceRequest theirs = new(1, other, _directory["other/result"]);
        ConfigFsAttacher attacher = new(new());
        _factory[other] = _ => new(FileBlockStore.Open(_directory["disk"]));
        string disk = await attacher.AttachAsync(theirs);
        try
        {
            await ProvideAsync("image");
            SnapshotException error = await Assert.ThrowsAsync<SnapshotException>(() => _snapshotter.PrepareAsync("one", "image"));
            Assert.Equal(SnapshotError.FailedPrecondition, error.Error);
            Assert.Contains(other, error.Message, StringComparison.Ordinal);
            await _snapshotter.RemoveAsync("image");
            Assert.Equal(disk, await attacher.FindAsync(theirs));
        }
        finally
        {
            await attacher.DetachAsync(theirs);
        }

        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
    }

    private string ConfigOf(long id) => _directory[$"root/snapshots/{id}/block/config.v1.json"];

    private string MountPointOf(long id) => _directory[$"root/snapshots/{id}/block/mountpoint"];

    private Task<OverlayBdSnapshotter> OpenAsync() =>
        OverlayBdSnapshotter.OpenAsync(new() { Root = _directory["root"] }, new ConfigFsAttacher(new()));

    private async Task ProvideAsync(string name)
    {
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot.ref"] = name,
            ["containerd.io/snapshot/image-ref"] = "registry.example/team/app:1",
            ["containerd.io/snapshot/overlaybd/blob-digest"] = "sha256:" + new string('1', 64),
            ["containerd.io/snapshot/overlaybd/blob-size"] = "4096",
        };
        SnapshotException answer = await Assert.ThrowsAsync<SnapshotException>(() => _snapshotter.PrepareAsync("pull " + name, "", labels));
        Assert.Equal(SnapshotError.AlreadyExists, answer.Error);
    }

    private async Task CheckAsync(IReadOnlyList<SnapshotMount> mounts)
    {
        SnapshotMount mount = Assert.Single(mounts);
        Directory.CreateDirectory(_directory["mount"]);
        await Shell.RunAsync("mount", "-t", mount.Type, "-o", string.Join(',', mount.Options), mount.Source, _directory["mount"]);
        try
        {
            Assert.Equal("hello from the image", await File.ReadAllTextAsync(_directory["mount/hello"]));
        }
        finally
        {
            await Shell.RunAsync("umount", _directory["mount"]);
        }
    }
}
