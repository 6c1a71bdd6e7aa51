// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Grpc.Net.Client;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Hosting;

public sealed class LoadTests
{
    private const int Clients = 16;
    private const int Cycles = 1000;

    /// <summary>Of the 80 MiB that the daemon may take, what is its own; the rest is for its program, which the tests do not run as it
    /// is published.</summary>
    private const long MostMemory = 60L << 20;

    [Fact]
    public async Task ThousandCycles_OfSixteenClients_LeaveNothing_AndTakeLittleMemory()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        await daemon.Client.PrepareAsync(new() { Key = "making" });
        await daemon.Client.CommitAsync(new() { Key = "making", Name = "base" });

        // What is made once is there then.
        await RunAsync(daemon, "warm", Clients);
        await Eventually.TrueAsync(() => Connections(daemon) == 1, "the clients' connections are closed");
        (int files, string[] state) = (OpenFiles(daemon), State(daemon, directory));
        string[] records = await RecordsAsync(daemon);
        Assert.Equal(["base"], records);

        await RunAsync(daemon, "load", Cycles);
        await Eventually.TrueAsync(() => OpenFiles(daemon) <= files, $"at most {files} files are open, as before");
        Assert.Equal(state, State(daemon, directory));
        Assert.Equal(records, await RecordsAsync(daemon));
        Assert.InRange(OwnMemory(daemon), 1, MostMemory);
    }

    private static async Task RunAsync(SnapshotterDaemon daemon, string prefix, int cycles)
    {
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            using GrpcChannel channel = SnapshotterDaemon.Connect(daemon.Socket);
            Grpc.Protocol.Snapshots.SnapshotsClient client = new(channel);
            for (int cycle = Interlocked.Increment(ref next); cycle <= cycles; cycle = Interlocked.Increment(ref next))
            {
                string key = $"{prefix}-{cycle}";
                Assert.Equal("overlay", Assert.Single((await client.PrepareAsync(new() { Key = key, Parent = "base" })).Mounts).Type);
                await client.RemoveAsync(new() { Key = key });
            }
        }));
    }

    private static async Task<string[]> RecordsAsync(SnapshotterDaemon daemon)
    {
        List<string> names = [];
        using global::Grpc.Core.AsyncServerStreamingCall<Grpc.Protocol.ListSnapshotsResponse> call = daemon.Client.List(new());
        while (await call.ResponseStream.MoveNext(default))
        {
            names.AddRange(call.ResponseStream.Current.Info.Select(info => info.Name));
        }

        return [.. names];
    }

    /// <summary>Directories, mounts, and devices on files of this directory.</summary>
    private static string[] State(SnapshotterDaemon daemon, MountedDirectory directory) =>
    [
        .. Directory.EnumerateFileSystemEntries(directory["snapshotter/snapshots"]).Order(),
        .. File.ReadLines($"/proc/{daemon.Process.Process.Id}/mountinfo")
            .Where(line => line.Contains(directory.Path, StringComparison.Ordinal)),
        .. Directory.EnumerateDirectories("/sys/block", "loop*").Select(device => Path.Combine(device, "loop", "backing_file"))
            .Where(File.Exists).Select(TryRead).Where(file => file.StartsWith(directory.Path, StringComparison.Ordinal)),
    ];

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // Somebody else's device, which is going.
            return "";
        }
    }

    private static string[] Descriptors(SnapshotterDaemon daemon) =>
    [
        .. new DirectoryInfo($"/proc/{daemon.Process.Process.Id}/fd").EnumerateFileSystemInfos()
            .Select(descriptor => descriptor.LinkTarget ?? ""),
    ];

    private static int OpenFiles(SnapshotterDaemon daemon) => Descriptors(daemon).Length;

    /// <summary>Accepted connections; another socket is the one it listens on.</summary>
    private static int Connections(SnapshotterDaemon daemon) => File.ReadLines($"/proc/{daemon.Process.Process.Id}/net/unix")
        .Count(line => line.EndsWith(' ' + daemon.Socket, StringComparison.Ordinal)) - 1;

    /// <summary>What is resident and not the content of a file, which the kernel may drop at any time.</summary>
    private static long OwnMemory(SnapshotterDaemon daemon) => File.ReadLines($"/proc/{daemon.Process.Process.Id}/status")
        .Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(line => 1024 * long.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..^"kB".Length], CultureInfo.InvariantCulture));
}
