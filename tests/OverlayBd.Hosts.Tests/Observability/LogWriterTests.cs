// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using backstore::OverlayBd.Backstore.Observability.Logging;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed class LogWriterTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Dispose_WritesEverything_FromAllThreads()
    {
        LogWriter writer = Open(_directory["x.log"]);
        Parallel.For(0, 10_000, i => writer.Write($"{i}\n"));
        writer.Dispose();
        int[] numbers = [.. File.ReadAllLines(_directory["x.log"]).Select(int.Parse).Order()];
        Assert.Equal(10_000 - writer.Dropped, numbers.Length);
        Assert.Equal(numbers.Distinct(), numbers);
    }

    [Fact]
    public void Write_AfterDispose_IsCountedAndNothingElse()
    {
        LogWriter writer = Open(_directory["x.log"]);
        writer.Dispose();
        writer.Write("late\n");
        writer.Reopen();
        writer.Dispose();
        Assert.Equal(2, writer.Dropped);
        Assert.Empty(File.ReadAllText(_directory["x.log"]));
    }

    [Fact]
    public async Task Write_ToAFullDisk_IsCounted_AndGoesOnWhenThereIsRoom()
    {
        string mount = Directory.CreateDirectory(_directory["mnt"]).FullName;
        await CommandLineFixture.HostAsync("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount);
        try
        {
            string path = Path.Combine(mount, "x.log");
            using LogWriter writer = Open(path);
            string filler = new string('x', 999) + "\n";
            await Eventually.TrueAsync(
                () =>
                {
                    writer.Write(filler);
                    return writer.Dropped > 0;
                },
                "the disk is full");

            // What copytruncate does, too.
            using (FileStream cut = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                cut.SetLength(0);
            }

            writer.Write("there is room\n");
            writer.Dispose();
            string[] lines = File.ReadAllLines(path);
            Assert.Contains("there is room", lines);
            Assert.Contains(lines, line => line.Contains("lines before this one were lost", StringComparison.Ordinal));
        }
        finally
        {
            await CommandLineFixture.HostAsync("umount", mount);
        }
    }

    [Fact]
    public async Task Write_WhenTheDiskStandsStill_DropsInsteadOfWaiting()
    {
        // A pipe that nobody empties takes 64 KiB, and then the writer waits in the kernel.
        string pipe = _directory["pipe"];
        await CommandLineFixture.HostAsync("mkfifo", pipe);
        Task<FileStream> opening = Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        using LogWriter writer = Open(pipe);
        await using FileStream reader = await opening;
        string line = new string('x', 1023) + "\n";
        for (int i = 0; i < 20_000; i++)
        {
            writer.Write(line);
        }

        Assert.InRange(writer.Dropped, 1, 20_000);

        Task drained = reader.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        writer.Dispose();
        await drained;
    }

    [Fact]
    public async Task Reopen_LeavesTheOldFileAlone_WithoutAnotherLine()
    {
        string path = _directory["x.log"];
        using LogWriter writer = Open(path);
        writer.Write("before\n");
        await Eventually.TrueAsync(() => new FileInfo(path).Length > 0, "the line is written");
        File.Move(path, path + ".old");
        writer.Reopen();
        await Eventually.TrueAsync(() => File.Exists(path), "the file is there again");
        writer.Write("after\n");
        writer.Dispose();
        Assert.Equal(["before"], File.ReadAllLines(path + ".old"));
        Assert.Equal(["after"], File.ReadAllLines(path));
    }

    private static LogWriter Open(string path) => new("test", new RotatingFile(path, new(10 << 20, 1)), TimeProvider.System);
}
