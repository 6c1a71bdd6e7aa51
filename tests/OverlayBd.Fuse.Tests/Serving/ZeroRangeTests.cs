// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Serving;
using OverlayBd.Fuse.Tests.Infrastructure;

namespace OverlayBd.Fuse.Tests.Serving;

public sealed class ZeroRangeTests
{
    [Fact]
    public async Task Clear_OfAnyRange_ClearsThatRangeOnly()
    {
        var random = new Random(11);
        for (int i = 0; i < 300; i++)
        {
            var store = new ArrayBlockStore(64 * 1024, i) { Alignment = 4096 };
            int offset = random.Next(store.Content.Length);
            int length = random.Next(0, Math.Min(20_000, store.Content.Length - offset) + 1);
            byte[] expected = store.Content.ToArray();
            expected.AsSpan(offset, length).Clear();
            await ZeroRange.ClearAsync(store, offset, length, TestContext.Current.CancellationToken);
            Assert.True(expected.AsSpan().SequenceEqual(store.Content), $"{length} bytes at {offset}");
            Assert.All(store.Discards, discard => Assert.Equal((0, 0), (discard.Offset % 4096, discard.Length % 4096)));
        }
    }
}
