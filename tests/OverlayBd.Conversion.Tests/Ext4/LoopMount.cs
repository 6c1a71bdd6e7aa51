// SPDX-License-Identifier: Apache-2.0

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
        (int code, string output) = E2fsck.Run("umount", _directory.Path);
        Assert.True(code == 0, $"umount ended with {code}: {output}");
        _directory.Dispose();
    }
}
