// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The backstore, serving with FUSE and loop devices.</summary>
internal static class BackstoreDaemon
{
    public static Task<DaemonProcess> StartAsync(string directory)
    {
        string run = Path.Combine(directory, "run-backstore");
        return DaemonProcess.StartAsync(
            Path.Combine(run, "backstore.sock"),
            Programs.Backstore,
            ["--run-dir", run, "--cache-dir", Path.Combine(directory, "cache"), "--cache-size", $"{256 << 20}"]);
    }
}
