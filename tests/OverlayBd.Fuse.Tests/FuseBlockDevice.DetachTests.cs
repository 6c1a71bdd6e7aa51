// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests;

public sealed class FuseBlockDeviceDetachTests
{
    private const int StoreLength = 32 * 1024 * 1024;

    [Fact]
    public async Task Detach_WhileMounted_IsRefused_NamingTheMountPoint_AndTheDeviceServesOn()
    {
        using var directory = new TempDirectory();
        await using FuseBlockDevice device = await AttachExt4Async();
        await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(device.DevicePath, directory["mnt"]);
        IOException exception = await Assert.ThrowsAsync<IOException>(() => device.DetachAsync(TestContext.Current.CancellationToken));
        Assert.Contains(mounted.Path, exception.Message, StringComparison.Ordinal);
        Assert.Contains(device.DevicePath, exception.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(mounted.Path, "still"), "works");
        await mounted.UnmountAsync();
        await Shell.RunAsync("e2fsck", "-fn", device.DevicePath);
        await device.DetachAsync(TestContext.Current.CancellationToken);
        Assert.True(device.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Detach_Lazily_EndsWithTheLastUser()
    {
        using var directory = new TempDirectory();
        await using FuseBlockDevice device = await AttachExt4Async();
        await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(device.DevicePath, directory["mnt"]);
        Task detach = device.DetachAsync(FuseDetachMode.Lazy, TestContext.Current.CancellationToken);
        await Task.WhenAny(detach, Eventually.TrueAsync(() => MountTable.Read().FindAt(device.MountPoint) is null, "the disk is not mounted any more"));
        await File.WriteAllTextAsync(Path.Combine(mounted.Path, "still"), "works");
        await Shell.RunAsync("sync", "-f", mounted.Path);
        Assert.False(detach.IsCompleted);
        await mounted.UnmountAsync();
        await detach;
        Assert.True(device.Completion.IsCompletedSuccessfully, $"{device.Completion.Exception}");
        Assert.False(File.Exists(device.MountPoint));
    }

    [Fact]
    public async Task Dispose_WhileMountedAndStalled_FailsTheUsers_AndLeavesNothing()
    {
        using var directory = new TempDirectory();
        var gate = new TaskCompletionSource();
        ArrayBlockStore store = await FormatExt4Async();
        FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        try
        {
            await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(device.DevicePath, directory["mnt"], "-o", "ro");
            store.OnRead = (_, _, token) => new ValueTask(gate.Task.WaitAsync(token));
            using var direct = new DirectFile(device.DevicePath);
            Task<byte[]> read = direct.ReadAsync(16 << 20, 4096);
            await Eventually.TrueAsync(() => device.Statistics.InFlight > 0, "a request in flight");
            await device.DisposeAsync();
            await Assert.ThrowsAsync<IOException>(() => read);
            await Assert.ThrowsAsync<IOException>(() => device.Completion);
            Assert.True(store.WasDisposed);
            Assert.Null(MountTable.Read().FindAt(device.MountPoint));
        }
        finally
        {
            gate.TrySetResult();
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task Detach_WhileAProcessHasTheDeviceOpen_NamesItAfterTheDeadline()
    {
        FuseBlockDeviceOptions options = new() { DetachTimeout = TimeSpan.FromMilliseconds(200) };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(new ArrayBlockStore(StoreLength, 1), options);
        using (var direct = new DirectFile(device.DevicePath))
        {
            IOException exception = await Assert.ThrowsAsync<IOException>(() => device.DetachAsync(TestContext.Current.CancellationToken));
            Assert.Contains($"by process {Environment.ProcessId}", exception.Message, StringComparison.Ordinal);
            await direct.ReadAsync(0, 4096);
        }

        await device.DetachAsync(TestContext.Current.CancellationToken);
        Assert.True(device.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Detach_WithAStoreThatDoesNotAnswer_FailsInTime_AndDisposeEndsIt()
    {
        var gate = new TaskCompletionSource();
        var store = new ArrayBlockStore(StoreLength, 2) { OnWrite = (_, _) => new ValueTask(gate.Task) };
        FuseBlockDeviceOptions options = new() { DetachTimeout = TimeSpan.FromMilliseconds(300) };
        FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, options);
        try
        {
            // Not in this process: what waits for its own device cannot be killed.
            Task<(int ExitCode, string Output)> writer = Shell.TryRunAsync("dd", "if=/dev/zero", $"of={device.DevicePath}", "bs=64k", "count=1", "conv=notrunc");
            await Eventually.TrueAsync(() => device.Statistics.InFlight > 0, "a request in flight");
            await Assert.ThrowsAsync<IOException>(() => device.DetachAsync(TestContext.Current.CancellationToken));
            await device.DisposeAsync();
            await writer;
            await Assert.ThrowsAsync<IOException>(() => device.Completion);
            Assert.Null(MountTable.Read().FindAt(device.MountPoint));
        }
        finally
        {
            gate.SetResult();
            await device.DisposeAsync();
        }
    }

    [Fact]
    public async Task Attach_ThatIsAbandoned_LeavesNothing()
    {
        using var directory = new TempDirectory();
        var store = new ArrayBlockStore(StoreLength, 3);
        for (int i = 0; i < 5; i++)
        {
            using var source = new CancellationTokenSource();
            Task<FuseBlockDevice> attach = FuseBlockDevice.AttachAsync(
                store, new FuseBlockDeviceOptions { MountPoint = directory["disk"], LeaveOpen = true }, source.Token);
            await Eventually.TrueAsync(() => MountTable.Read().FindAt(directory["disk"]) is not null || attach.IsCompleted, "the disk is mounted");
            await source.CancelAsync();
            try
            {
                await (await attach).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
            }

            Assert.Null(MountTable.Read().FindAt(directory["disk"]));
            Assert.False(File.Exists(directory["disk"]));
        }

        Assert.False(store.WasDisposed);
    }

    [Fact]
    public async Task Completion_AfterAnUnmountBySomebodyElse_IsNormal()
    {
        await using FuseBlockDevice device = await AttachExt4Async();
        await Shell.RunAsync("losetup", "-d", device.DevicePath);
        await Eventually.TrueAsync(() => LinuxCalls.Unmount(device.MountPoint, 0) == 0, "the disk can be unmounted");
        await device.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await device.DetachAsync(TestContext.Current.CancellationToken);
        Assert.False(File.Exists(device.MountPoint));
    }

    [Fact]
    public async Task Completion_AfterAnAbort_IsAnError()
    {
        FuseBlockDevice device = await AttachExt4Async();
        await using (device)
        {
            using FuseControl control = FuseControl.TryOpen(MountTable.Read().FindAt(device.MountPoint)!.Minor)!;
            Assert.True(control.TryAbort());
            IOException exception = await Assert.ThrowsAsync<IOException>(
                () => device.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
            Assert.Equal(LibC.ECONNABORTED, exception.HResult);
        }

        Assert.Null(MountTable.Read().FindAt(device.MountPoint));
        Assert.False(File.Exists(device.MountPoint));
    }

    [Fact]
    public async Task AutoClear_RemovesTheLoopDeviceWithItsLastUser()
    {
        using var directory = new TempDirectory();
        FuseBlockDeviceOptions options = new() { AutoClear = true };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(await FormatExt4Async(), options);
        await using MountedFileSystem mounted = await MountedFileSystem.MountAsync(device.DevicePath, directory["mnt"]);
        await mounted.UnmountAsync();
        Assert.NotNull(await File.ReadAllTextAsync($"/sys/block/{Path.GetFileName(device.DevicePath)}/loop/backing_file"));
        await device.DetachAsync(TestContext.Current.CancellationToken);
        Assert.True(device.Completion.IsCompletedSuccessfully);
    }

    private static async Task<FuseBlockDevice> AttachExt4Async() => await FuseBlockDevice.AttachAsync(await FormatExt4Async());

    private static async Task<ArrayBlockStore> FormatExt4Async()
    {
        using var directory = new TempDirectory();
        await File.WriteAllBytesAsync(directory["image"], new byte[StoreLength]);
        await Shell.RunAsync("mkfs.ext4", "-q", "-F", directory["image"]);
        return new ArrayBlockStore(await File.ReadAllBytesAsync(directory["image"]));
    }
}
