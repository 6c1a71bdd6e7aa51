// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>Ordinary layers; block layers are in <see cref="KillAtEachBlockStepTests"/>, so that both run side by side.</summary>
public sealed class KillAtEachStepTests
{
    private const string MakeDirectory = "?mkdir,mkdirat";
    private const string Write = "pwrite64";
    private const string Flush = "fsync,fdatasync";
    private const string Delete = "?rmdir,?unlink,unlinkat";

    private static readonly KillStep[] s_steps =
    [
        new("Prepare", MakeDirectory), new("Prepare", MakeDirectory, 2), new("Prepare", MakeDirectory, 3),
        new("Prepare", Write, 2), new("Prepare", Flush),
        new("Commit", Flush),
        new("Remove", Flush), new("Remove", Delete), new("Remove", Delete, 2), new("Remove", Delete, 3),
    ];

    [Fact]
    public async Task Call_KilledAtAStep_LeavesNothingHalfDone_AndSucceedsAgain()
    {
        using MountedDirectory directory = new();
        await using KilledSnapshotter snapshotter = await KilledSnapshotter.StartAsync(directory.Path, new Dictionary<string, string>());
        foreach (KillStep step in s_steps)
        {
            await snapshotter.KillAtAsync(step);
        }
    }
}
