// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Downloading;

/// <summary>Spreads what is downloaded over time, so that no more than so many bytes come in a second.</summary>
/// <remarks>Used by one caller at a time. Time that was not used is not saved up.</remarks>
internal sealed class RateLimiter(long bytesPerSecond, TimeProvider time)
{
    private long _free = time.GetTimestamp();

    /// <summary>Waits until the next bytes may come, and books them.</summary>
    public async ValueTask TakeAsync(int count, CancellationToken cancellationToken)
    {
        if (bytesPerSecond <= 0)
        {
            return;
        }

        long now = time.GetTimestamp();
        TimeSpan wait = time.GetElapsedTime(now, _free);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }

        _free = Math.Max(_free, now) + (long)((double)count / bytesPerSecond * time.TimestampFrequency);
    }
}
