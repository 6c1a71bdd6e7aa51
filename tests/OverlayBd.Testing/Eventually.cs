// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Testing;

/// <summary>Waits for what comes true by itself, and fails with a sentence when it does not.</summary>
public static class Eventually
{
    /// <summary>How long is waited: long enough for a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // Longer and longer: on a single slow processor, asking every millisecond would leave no time for what is waited for.
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until a condition is met.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is waited for, as the end of "Expected soon: …".</param>
    public static Task TrueAsync(Func<bool> condition, string what) => TrueAsync(condition, () => what);

    /// <summary>Waits until a condition is met.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">Says what is waited for, as the end of "Expected soon: …".</param>
    public static async Task TrueAsync(Func<bool> condition, Func<string> what)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan pause = s_shortestPause;
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"Expected soon: {what()}. It was not so within {Patience}.");
            }

            await Task.Delay(pause, TestContext.Current.CancellationToken);
            pause = pause < s_longestPause ? pause * 1.5 : s_longestPause;
        }
    }
}
