// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>Recognises a reader that moves forward, and says what to fetch before it gets there.</summary>
/// <remarks>Its numbers are hints: readers update them without a lock and may lose an update, which costs a fetch at most.</remarks>
internal sealed class ReadAhead
{
    private const int ReadsBeforeStart = 2;
    private readonly int _unitSize;
    private readonly int _maxWindow;
    private long _next;
    private long _fetchedUpTo;
    private int _streak;
    private int _window;

    public ReadAhead(int unitSize, int maxWindow)
    {
        _unitSize = unitSize;
        _maxWindow = maxWindow;
    }

    /// <summary>Notes a read; true when <paramref name="start"/> to <paramref name="end"/> is worth fetching now.</summary>
    public bool Observe(long offset, int length, out long start, out long end)
    {
        start = 0;
        end = 0;
        long readEnd = offset + length;
        long gap = offset - Volatile.Read(ref _next);
        Volatile.Write(ref _next, readEnd);
        if (gap < -_unitSize || gap > _unitSize)
        {
            _streak = 0;
            _window = 0;
            return false;
        }

        if (++_streak < ReadsBeforeStart)
        {
            return false;
        }

        // The next window starts when half of the last one has been read: it is there when the reader needs it.
        long ahead = _fetchedUpTo - readEnd;
        if (_window > 0 && ahead > _window / 2 && ahead <= _maxWindow)
        {
            return false;
        }

        start = _window > 0 && ahead > 0 && ahead <= _maxWindow ? _fetchedUpTo : readEnd;
        _window = Math.Min(_maxWindow, Math.Max(_window * 2, 2 * Math.Max(_unitSize, length)));
        end = start + _window;
        _fetchedUpTo = end;
        return true;
    }
}
