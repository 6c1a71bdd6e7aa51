// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing;

namespace OverlayBd.Format.Tests;

public sealed class SliceBlockSourceTests : BlockSourceConformance
{
    protected override ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        byte[] padded = [.. new byte[1000], .. content, .. new byte[500]];
        return new(new SliceBlockSource(new MemoryBlockSource(padded), 1000, content.Length));
    }

    [Fact]
    public void Window_OutsideTheSource_IsAnArgumentError()
    {
        var source = new MemoryBlockSource(new byte[10]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SliceBlockSource(source, 5, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SliceBlockSource(source, -1, 6));
    }
}
