// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Ext4;
using OverlayBd.Format;
using OverlayBd.Testing;

namespace OverlayBd.Conversion.Tests.Ext4;

public sealed class Ext4FormatTests : IDisposable
{
    private const long MiB = 1024 * 1024;
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(2 * MiB)]
    [InlineData(64 * MiB)]
    [InlineData(129 * MiB + 12288)]
    [InlineData(1024 * MiB)]
    [InlineData(64 * 1024 * MiB)]
    [InlineData(64 * 1024 * MiB + 512)]
    public async Task Format_AnySize_IsCleanAndSmall(long size)
    {
        string path = _directory["image"];
        await using (FileBlockStore store = FileBlockStore.Create(path, size))
        {
            var counter = new CountingBlockStore(store);
            Ext4FileSystem.Format(counter);
            Assert.InRange(counter.BytesWritten, 1, 512 * 1024);
            TestContext.Current.TestOutputHelper?.WriteLine($"{size} bytes: {counter.BytesWritten} bytes in {counter.Writes} writes");
        }

        E2fsck.AssertClean(path);
    }
}
