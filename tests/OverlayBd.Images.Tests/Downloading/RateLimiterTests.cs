// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Time.Testing;
using OverlayBd.Images.Downloading;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Downloading;

public sealed class RateLimiterTests
{
    [Fact]
    public async Task Bytes_AreSpreadOverTime()
    {
        var time = new FakeTimeProvider();
        var limiter = new RateLimiter(1000, time);
        await limiter.TakeAsync(500, CancellationToken.None);
        Task second = limiter.TakeAsync(500, CancellationToken.None).AsTask();
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await second.WaitAsync(Eventually.Patience);

        // Idle time is not saved up.
        time.Advance(TimeSpan.FromHours(1));
        await limiter.TakeAsync(500, CancellationToken.None);
        Task next = limiter.TakeAsync(500, CancellationToken.None).AsTask();
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await next.WaitAsync(Eventually.Patience);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task NoLimit_NeverWaits(long rate)
    {
        var limiter = new RateLimiter(rate, new FakeTimeProvider());
        for (int i = 0; i < 100; i++)
        {
            await limiter.TakeAsync(int.MaxValue, CancellationToken.None);
        }
    }
}
