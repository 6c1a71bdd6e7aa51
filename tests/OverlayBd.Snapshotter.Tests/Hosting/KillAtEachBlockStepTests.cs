// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>Writable block layers, on a real backstore that outlives the daemon.</summary>
public sealed class KillAtEachBlockStepTests
{
    private const string Mount = "mount";
    private const string Unmount = "umount2";
    private const string Rename = "?rename,?renameat,renameat2";
    private const string Delete = "?unlink,unlinkat";
    private const string Write = "pwrite64";
    private const string Flush = "fsync,fdatasync";

    private static readonly KillStep[] s_steps =
    [
        new("Prepare", Mount),
        new("Mounts", Mount),
        new("Commit", Delete, File: "block/backstore_mark"),
        new("Commit", Write), new("Commit", Flush),
        new("Commit", Rename, File: "block/writable_data"),
        new("Commit", Delete, File: "block/writable_index"),
        new("Commit", Flush, File: "../../metadata.sqlite-wal"),
        new("Remove", Unmount),
    ];

    [Fact]
    public async Task Call_KilledAtAStep_LeavesNothingHalfDone_AndSucceedsAgain()
    {
        Dictionary<string, string> labels = new()
        {
            ["containerd.io/snapshot/overlaybd.writable"] = "dir",
            ["containerd.io/snapshot/overlaybd/vsize"] = "1",
        };
        using MountedDirectory directory = new();
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(directory.Path);
        await using KilledSnapshotter snapshotter = await KilledSnapshotter.StartAsync(directory.Path, labels);
        foreach (KillStep step in s_steps)
        {
            await snapshotter.KillAtAsync(step);
        }

        Assert.Empty(await backstore.ListAsync());
    }
}
