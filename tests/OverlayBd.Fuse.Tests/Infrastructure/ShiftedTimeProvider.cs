// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Tests.Infrastructure;

/// <summary>A clock that a test puts forward. Its timers run in real time, so that what polls goes on.</summary>
internal sealed class ShiftedTimeProvider : TimeProvider
{
    private long _shift;

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _shift);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _shift, (long)(time.TotalSeconds * TimestampFrequency));
}
