// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>containerd's own tests of snapshotters, in Go, against the daemon (tests/containerd-suite).</summary>
public sealed partial class ContainerdSuiteTests
{
    private const int Cases = 21;

    [Fact]
    public async Task Suite_OfContainerd_Passes()
    {
        using MountedDirectory directory = new();
        Dictionary<string, string> environment = new()
        {
            ["OVERLAYBD_SNAPSHOTTER"] = Programs.Snapshotter,
            ["GO111MODULE"] = "off",
            ["GOFLAGS"] = "",
            ["GOPATH"] = "/usr/share/gocode",
            ["GOCACHE"] = Path.Combine(Path.GetTempPath(), "overlaybd-go-cache"),
            ["TMPDIR"] = directory.Path,
        };
        (int status, string output, string error) = await Shell.TryRunAsync(
            "go", ["test", "-count=1", "-v", ".", "-test.root"], environment, Path.Combine(Programs.Repository, "tests", "containerd-suite"));
        Assert.True(status == 0, output + error);
        Assert.Equal(Cases, Passed().Count(output) + Skipped().Count(output));
        Assert.InRange(Skipped().Count(output), 0, 1);
    }

    [GeneratedRegex("^ +--- PASS:", RegexOptions.Multiline)]
    private static partial Regex Passed();

    // "Rename" skips itself: overlayfs on some kernels refuses what it tries.
    [GeneratedRegex("^ +--- SKIP: TestSnapshotter/Rename", RegexOptions.Multiline)]
    private static partial Regex Skipped();
}
