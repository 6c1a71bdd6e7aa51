// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Images.Tracing;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Tracing;

public sealed class TracedBlockSourceTests : BlockSourceConformance
{
    protected override ValueTask<BlockSource> CreateAsync(byte[] content) => new(new TraceTap().Wrap(new MemoryBlockSource(content), 0));

    [Fact]
    public async Task Read_WithoutARecording_AllocatesNothing()
    {
        await using BlockSource source = new TraceTap().Wrap(new MemoryBlockSource(new byte[4096]), 0);
        byte[] buffer = new byte[512];
        long before = 0;
        for (int i = 0; i < 1000; i++)
        {
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            await source.ReadAsync(i, buffer, CancellationToken.None);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
