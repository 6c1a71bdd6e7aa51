// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu;

/// <summary>The counters of one device.</summary>
internal sealed class TcmuCounters
{
    private long _reads;
    private long _readBytes;
    private long _writes;
    private long _writtenBytes;
    private long _discards;
    private long _flushes;
    private long _errors;
    private long _hung;

    public void Read(long bytes)
    {
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _readBytes, bytes);
    }

    public void Write(long bytes)
    {
        Interlocked.Increment(ref _writes);
        Interlocked.Add(ref _writtenBytes, bytes);
    }

    public void Discard() => Interlocked.Increment(ref _discards);

    public void Flush() => Interlocked.Increment(ref _flushes);

    public void Error() => Interlocked.Increment(ref _errors);

    public void Hung() => Interlocked.Increment(ref _hung);

    public TcmuDeviceStatistics Snapshot(int inFlight) => new(
        Interlocked.Read(ref _reads),
        Interlocked.Read(ref _readBytes),
        Interlocked.Read(ref _writes),
        Interlocked.Read(ref _writtenBytes),
        Interlocked.Read(ref _discards),
        Interlocked.Read(ref _flushes),
        Interlocked.Read(ref _errors),
        Interlocked.Read(ref _hung),
        inFlight);
}
