// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Testing;

namespace OverlayBd.Conversion.Tests.Ext4;

/// <summary>An image mounted by the kernel, as long as it is not disposed.</summary>
internal sealed class LoopMount : IDisposable
{
    private readonly TempDirectory _directory = new();

    internal LoopMount(string image, string options = "loop,ro")
    {
        (int code, string output) = E2fsck.Run("mount", "-t", "ext4", "-o", options, image, _directory.Path);
        if (code != 0)
        {
            _directory.Dispose();
            Assert.Fail($"mount ended with {code}: {output}");
        }
    }

    /// <summary>The directory where the image's root is.</summary>
    internal string Path => _directory.Path;

    public void Dispose()
    {
        long start = Stopwatch.GetTimestamp();
        (int code, string output) = E2fsck.Run("umount", _directory.Path);

        // A program that a test beside this one starts has, until it runs, what this process had open here when it was forked.
        while (code != 0 && output.Contains("busy", StringComparison.Ordinal) && Stopwatch.GetElapsedTime(start) < Eventually.Patience)
        {
            Thread.Sleep(50);
            (code, output) = E2fsck.Run("umount", _directory.Path);
        }

        if (code != 0)
        {
            E2fsck.Run("umount", "--lazy", _directory.Path);
        }

        _directory.Dispose();
        Assert.True(code == 0, $"umount ended with {code}: {output}");
    }
}
