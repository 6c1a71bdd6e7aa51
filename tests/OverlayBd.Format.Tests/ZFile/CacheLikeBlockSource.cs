// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>A source that keeps bad copies of good bytes until it is told to forget them.</summary>
internal sealed class CacheLikeBlockSource(byte[] kept, byte[] origin, bool asynchronous = false)
    : SpyBlockSource(kept, asynchronous), IInvalidatable, IPrefetchable
{
    public List<(long Offset, long Length)> Invalidated { get; } = [];

    public List<(long Offset, long Length)> Prefetched { get; } = [];

    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        Invalidated.Add((offset, length));
        origin.AsSpan((int)offset, (int)length).CopyTo(Content.AsSpan((int)offset));
        return new(true);
    }

    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        Prefetched.Add((offset, length));
        return default;
    }
}
