// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Diagnostics;

/// <summary>Lets a number of log records through each second and counts the others.</summary>
internal sealed class FailureLogLimit
{
    private const int RecordsPerSecond = 10;
    private readonly Lock _gate = new(); // guards the fields below
    private readonly TimeProvider _timeProvider;
    private long _windowStart;
    private int _taken;
    private long _leftOut;

    public FailureLogLimit(TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _windowStart = timeProvider.GetTimestamp();
    }

    /// <summary>Whether a record may be written now; if so, how many were left out since the last one.</summary>
    public bool TryTake(out long leftOut)
    {
        lock (_gate)
        {
            if (_timeProvider.GetElapsedTime(_windowStart) >= TimeSpan.FromSeconds(1))
            {
                _windowStart = _timeProvider.GetTimestamp();
                _taken = 0;
            }

            if (_taken == RecordsPerSecond)
            {
                _leftOut++;
                leftOut = 0;
                return false;
            }

            _taken++;
            leftOut = _leftOut;
            _leftOut = 0;
            return true;
        }
    }
}
