// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>A window of another source.</summary>
public sealed class SliceBlockSource : BlockSource, IInvalidatable, IPrefetchable
{
    private readonly BlockSource _source;
    private readonly long _start;
    private readonly bool _leaveOpen;

    /// <summary>Makes a window of <paramref name="length"/> bytes from <paramref name="start"/>.</summary>
    /// <param name="source">The source; owned by the slice unless <paramref name="leaveOpen"/>.</param>
    /// <param name="start">The first byte of the window, in bytes.</param>
    /// <param name="length">The length of the window, in bytes.</param>
    /// <param name="leaveOpen">Whether disposing the slice leaves the source open.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window is not within the source.</exception>
    public SliceBlockSource(BlockSource source, long start, long length, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, source.Length - length);
        _source = source;
        _start = start;
        Length = length;
        _leaveOpen = leaveOpen;
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        _source is IInvalidatable source ? source.InvalidateAsync(_start + offset, length, cancellationToken) : new(false);

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        _source is IPrefetchable source ? source.PrefetchAsync(_start + offset, length, cancellationToken) : default;

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _source.ReadAsync(_start + offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync() => _leaveOpen ? ValueTask.CompletedTask : _source.DisposeAsync();
}
