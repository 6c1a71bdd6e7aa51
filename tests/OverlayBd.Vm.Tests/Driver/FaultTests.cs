// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>A store that fails or stalls makes I/O errors, in time, and nothing worse.</summary>
public sealed class FaultTests
{
    private const int Length = 8 * 1024 * 1024;

    [Fact]
    public async Task FailedRead_IsAnIoError_AndTheNextOneWorks()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        MemoryStore store = MemoryStore.Random(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        store.OnRead = static (offset, _) => offset >= 4096 * 1024 ? throw new InvalidDataException("a damaged block") : default;

        // Whether it is read as a file system does or past the page cache; and the kernel does not ask again and again.
        ShellResult read = await ReadAsync(disk, 1024);
        Assert.NotEqual(0, read.ExitCode);
        Assert.Contains("Input/output error", read.Error);
        long errors = disk.Statistics.Errors;
        ShellResult direct = await ReadAsync(disk, 1024, "iflag=direct");
        Assert.NotEqual(0, direct.ExitCode);
        Assert.Contains("Input/output error", direct.Error);
        Assert.Equal(errors + 1, disk.Statistics.Errors);
        Assert.Contains("I/O error, dev", KernelLog.Tail());
        Assert.Equal(0, (await ReadAsync(disk, 0)).ExitCode);
        store.OnRead = null;
        Assert.Equal(0, (await ReadAsync(disk, 1024)).ExitCode);
        Assert.True(disk.Statistics.Errors > 0);
        Assert.Contains(server.Log.Lines, static line => line.Contains("a damaged block", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FailedWrite_IsAnIoError_AndTheNextOneWorks()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        MemoryStore store = MemoryStore.Random(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        store.OnWrite = static (_, _) => throw new IOException("no space");
        string[] write = ["if=/dev/zero", $"of={disk.Path}", "bs=4096", "count=1", "oflag=direct", "conv=notrunc"];

        ShellResult failed = await Shell.TryRunAsync("dd", write);
        Assert.NotEqual(0, failed.ExitCode);
        Assert.Contains("Input/output error", failed.Error);
        store.OnWrite = null;
        await Shell.RunAsync("dd", write);
        Assert.False(store.Content.AsSpan(0, 4096).ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // a store that does not heed its token
    public async Task StalledRead_IsAnIoErrorInTime_CountedAsHung_AndTheDiskDetaches(bool stubborn)
    {
        var limit = TimeSpan.FromSeconds(2);
        await using TcmuServer server = await TcmuServer.StartAsync(new() { CommandTimeout = limit });
        MemoryStore store = MemoryStore.Random(Length);
        TcmuDisk disk = await server.AttachAsync(store);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.OnRead = (offset, token) => offset == 4096 * 1024 ? new ValueTask(stubborn ? gate.Task : gate.Task.WaitAsync(token)) : default;
        long start = Stopwatch.GetTimestamp();

        ShellResult read = await ReadAsync(disk, 1024, "iflag=direct");

        Assert.NotEqual(0, read.ExitCode);
        Assert.Contains("Input/output error", read.Error);
        Assert.True(Stopwatch.GetElapsedTime(start) >= limit);
        Assert.True(disk.Statistics.Hung > 0);
        Assert.Equal(0, (await ReadAsync(disk, 0)).ExitCode);
        await disk.DetachAsync();
        gate.SetResult();
    }

    [Fact]
    public async Task FailedOpen_FailsTheAttachAtOnce_AndLeavesNothing()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        server.Stores["broken"] = static _ => throw new InvalidDataException("no such layer");

        IOException error = await Assert.ThrowsAsync<IOException>(() => server.AttachAsync("broken"));

        Assert.Contains(TcmuServer.Subtype, error.Message);
        Assert.Empty(GuestKernel.Devices);
        Assert.Empty(GuestKernel.LoopbackTargets);
        Assert.Empty(server.Handler.Devices);
        Assert.Contains(server.Log.Lines, static line => line.Contains("no such layer", StringComparison.Ordinal));
        await server.AttachAsync(MemoryStore.Random(Length));
    }

    [Fact]
    public async Task SlowOpen_DelaysNoOtherDevice()
    {
        await using TcmuServer server = await TcmuServer.StartAsync();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Stores["slow"] = async _ =>
        {
            await gate.Task;
            return MemoryStore.Random(Length);
        };
        Task<TcmuDisk> slow = server.AttachAsync("slow");
        await Wait.UntilAsync(static () => GuestKernel.Devices.Any(), "the slow device is being enabled");

        TcmuDisk disk = await server.AttachAsync(MemoryStore.Random(Length));
        Assert.Equal(0, (await ReadAsync(disk, 0)).ExitCode);
        Assert.False(slow.IsCompleted);
        gate.SetResult();
        Assert.Equal(0, (await ReadAsync(await slow, 0)).ExitCode);
    }

    /// <summary>Reads one page, as a file system would unless the options say otherwise.</summary>
    private static async Task<ShellResult> ReadAsync(TcmuDisk disk, int page, params string[] options)
    {
        await Shell.RunAsync("blockdev", "--setra", "0", disk.Path);
        return await Shell.TryRunAsync("dd", [$"if={disk.Path}", "of=/dev/null", "bs=4096", "count=1", $"skip={page}", .. options]);
    }
}
