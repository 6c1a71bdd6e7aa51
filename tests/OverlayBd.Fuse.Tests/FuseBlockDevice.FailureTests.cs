// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests;

public sealed class FuseBlockDeviceFailureTests
{
    private const int StoreLength = 8 * 1024 * 1024;

    public static TheoryData<Exception, bool> Failures { get; } = new()
    {
        { new IOException("The registry is gone."), false },
        { new IOException("The registry is gone."), true },
        { new InvalidDataException("Block 17 fails its checksum."), true },
        { new OperationCanceledException(), true },
        { new InvalidOperationException("A defect."), false },
        { new TimeoutException(), true },
        { new ObjectDisposedException("store"), false },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Read_ThatTheStoreFails_IsAnIOError_AndTheDeviceServesOn(Exception failure, bool later)
    {
        var store = new ArrayBlockStore(StoreLength, 1);
        store.OnRead = (offset, _, _) => offset == 1 << 20 ? FailAsync(failure, later) : ValueTask.CompletedTask;
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        using var direct = new DirectFile(device.DevicePath);
        IOException exception = await Assert.ThrowsAsync<IOException>(() => direct.ReadAsync(1 << 20, 4096));
        Assert.Equal(LibC.EIO, exception.HResult);
        Assert.Equal(1, device.Statistics.Errors);
        Assert.Equal(store.Content.AsMemory(0, 4096).ToArray(), await direct.ReadAsync(0, 4096));
        store.OnRead = null;
        Assert.Equal(store.Content.AsMemory(1 << 20, 4096).ToArray(), await direct.ReadAsync(1 << 20, 4096));
        Assert.Equal(0, device.Statistics.InFlight);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_ThatTheStoreRefuses_HasItsErrno(bool later)
    {
        Exception? failure = null;
        var store = new ArrayBlockStore(StoreLength, 2) { OnWrite = (_, _) => failure is null ? ValueTask.CompletedTask : FailAsync(failure, later) };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        foreach ((Exception thrown, int errno) in new (Exception, int)[]
        {
            (new InvalidOperationException("The store is read-only."), LibC.EROFS),
            (new IOException("No space left on device", LibC.ENOSPC), LibC.ENOSPC),
            (new IOException("Anything else"), LibC.EIO),
        })
        {
            // At the file, since the block layer knows fewer errors.
            failure = thrown;
            using var direct = new DirectFile(device.MountPoint, writable: true);
            IOException exception = await Assert.ThrowsAsync<IOException>(() => direct.WriteAsync(8192, new byte[4096]));
            Assert.Equal(errno, exception.HResult);
        }

        failure = null;
        using var disk = new DirectFile(device.DevicePath, writable: true);
        await disk.WriteAsync(8192, new byte[4096]);
        Assert.Equal(new byte[4096], store.Content[8192..12288]);
    }

    [Fact]
    public async Task Read_ThatStalls_DoesNotBlockOthers()
    {
        var gate = new TaskCompletionSource();
        var store = new ArrayBlockStore(StoreLength, 3)
        {
            OnRead = (offset, _, _) => offset >= 4 << 20 ? new ValueTask(gate.Task) : ValueTask.CompletedTask,
        };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, new FuseBlockDeviceOptions { Workers = 2 });
        using var direct = new DirectFile(device.DevicePath);
        Task<byte[]>[] stalled = [.. Enumerable.Range(0, 16).Select(i => direct.ReadAsync((4 << 20) + i * 4096, 4096))];
        try
        {
            await Eventually.TrueAsync(() => device.Statistics.InFlight == 16, "16 requests in flight");
            for (int i = 0; i < 200; i++)
            {
                Assert.Equal(store.Content.AsMemory(i * 4096, 4096).ToArray(), await direct.ReadAsync(i * 4096, 4096));
            }

            Assert.All(stalled, static task => Assert.False(task.IsCompleted));
        }
        finally
        {
            gate.SetResult();
        }

        for (int i = 0; i < stalled.Length; i++)
        {
            Assert.Equal(store.Content.AsMemory((4 << 20) + i * 4096, 4096).ToArray(), await stalled[i]);
        }
    }

    [Fact]
    public async Task Read_ManyAtOnce_ReachTheStoreTogether()
    {
        var gate = new TaskCompletionSource();
        var store = new ArrayBlockStore(StoreLength, 4) { OnRead = (_, _, _) => new ValueTask(gate.Task) };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        Task<(int ExitCode, string Output)> fio = Shell.TryRunAsync(
            "fio", "--name=many", $"--filename={device.DevicePath}", "--rw=randread", "--bs=4k", "--iodepth=120", "--iodepth_batch=120",
            "--ioengine=libaio", "--direct=1", "--size=8m", "--loops=2", "--norandommap", "--invalidate=0");
        try
        {
            await Eventually.TrueAsync(() => device.Statistics.InFlight >= 100 || fio.IsCompleted, "100 requests in flight");
        }
        finally
        {
            store.OnRead = null;
            gate.SetResult();
        }

        (int exitCode, string output) = await fio;
        Assert.True(exitCode == 0, output);
        Assert.True(store.MostReadsAtOnce >= 100, $"{store.MostReadsAtOnce} reads at most");
        Assert.Equal(0, device.Statistics.Errors);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_ThatTakesTooLong_IsAnIOError(bool storeListens)
    {
        var gate = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        var time = new ShiftedTimeProvider();
        var store = new ArrayBlockStore(StoreLength, 5);
        store.OnRead = (offset, _, token) =>
        {
            if (offset != 1 << 20)
            {
                return ValueTask.CompletedTask;
            }

            token.Register(cancelled.SetResult);
            return new ValueTask(storeListens ? gate.Task.WaitAsync(token) : gate.Task);
        };
        FuseBlockDeviceOptions options = new() { RequestTimeout = TimeSpan.FromSeconds(30), TimeProvider = time };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, options);
        using var direct = new DirectFile(device.DevicePath);
        Task<byte[]> read = direct.ReadAsync(1 << 20, 4096);
        await Eventually.TrueAsync(() => device.Statistics.InFlight == 1, "one request in flight");
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(read.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(LibC.EIO, (await Assert.ThrowsAsync<IOException>(() => read)).HResult);
        await cancelled.Task;
        Assert.Equal((1, 1, 0), (device.Statistics.Timeouts, device.Statistics.Errors, device.Statistics.InFlight));
        Assert.Equal(store.Content.AsMemory(0, 4096).ToArray(), await direct.ReadAsync(0, 4096));

        // The late answer harms nobody, and the object that carried it serves again.
        gate.SetResult();
        store.OnRead = null;
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(store.Content.AsMemory(1 << 20, 4096).ToArray(), await direct.ReadAsync(1 << 20, 4096));
        }
    }

    [Fact]
    public async Task Flush_ThatFails_ReachesWhoFlushes()
    {
        var store = new ArrayBlockStore(StoreLength, 6) { OnFlush = () => FailAsync(new IOException("The disk below is broken."), later: true) };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store);
        (int exitCode, string output) = await Shell.TryRunAsync(
            "dd", "if=/dev/zero", $"of={device.DevicePath}", "bs=4096", "count=1", "conv=fsync,notrunc");
        Assert.True(exitCode != 0, output);
        Assert.True(device.Statistics.Errors > 0);
    }

    [Fact]
    public async Task Store_ThatBlocksItsThread_StillTimesOut()
    {
        using var gate = new ManualResetEventSlim();
        var time = new ShiftedTimeProvider();
        var store = new ArrayBlockStore(StoreLength, 7)
        {
            OnRead = (offset, _, _) =>
            {
                if (offset == 1 << 20)
                {
                    gate.Wait(CancellationToken.None);
                }

                return ValueTask.CompletedTask;
            },
        };
        FuseBlockDeviceOptions options = new() { RequestTimeout = TimeSpan.FromSeconds(5), TimeProvider = time, Workers = 2 };
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(store, options);
        using var direct = new DirectFile(device.DevicePath);
        Task<byte[]> read = direct.ReadAsync(1 << 20, 4096);
        try
        {
            await Eventually.TrueAsync(() => device.Statistics.InFlight == 1, "one request in flight");
            time.Advance(TimeSpan.FromSeconds(6));
            await Assert.ThrowsAsync<IOException>(() => read);
        }
        finally
        {
            gate.Set();
        }

        Assert.Equal(store.Content.AsMemory(1 << 20, 4096).ToArray(), await direct.ReadAsync(1 << 20, 4096));
    }

    private static ValueTask FailAsync(Exception exception, bool later)
    {
        return later ? FailLaterAsync() : throw exception;

        async ValueTask FailLaterAsync()
        {
            await Task.Yield();
            throw exception;
        }
    }
}
