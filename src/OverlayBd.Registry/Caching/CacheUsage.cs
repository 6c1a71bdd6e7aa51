// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>How much is stored, and the logical time of recency. The time advances with each store, so telling it costs a read a plain
/// load.</summary>
internal sealed class CacheUsage
{
    private long _bytes;
    private long _now = 1;

    /// <summary>The bytes that stored units take on disk, with what is reserved for stores under way.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public long Now => Volatile.Read(ref _now);

    public long Advance() => Interlocked.Increment(ref _now);

    public long Charge(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Release(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
