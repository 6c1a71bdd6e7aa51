// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu.Ring;

/// <summary>A command taken from the ring: what is needed of the entry is copied, since the entry of a running command is
/// overwritten by the completions of others. Used again for later commands.</summary>
internal sealed class TcmuCommand : IDisposable
{
    /// <summary>Room for the longest command descriptor block that SAM allows in practice, zero-padded.</summary>
    public const int MaxCdbLength = 32;

    private readonly byte[] _cdb = new byte[MaxCdbLength];
    private RingSegment[] _segments = new RingSegment[16];
    private ValueTask[] _reads = [];
    private CancellationTokenSource _abandon = new();

    /// <summary>The kernel's number of the command; reused as soon as the command has been completed.</summary>
    public ushort Id { get; private set; }

    public ReadOnlySpan<byte> Cdb => _cdb;

    public ReadOnlySpan<RingSegment> Segments => _segments.AsSpan(0, SegmentCount);

    public int SegmentCount { get; private set; }

    /// <summary>The bytes of all segments.</summary>
    public long DataLength { get; private set; }

    /// <summary>When a command that waits was begun, a <see cref="TimeProvider"/> timestamp; 0 while it does not wait.</summary>
    public long WaitingSince { get; set; }

    /// <summary>When the command was read, a <see cref="System.Diagnostics.Stopwatch"/> timestamp; 0 when nobody asks.</summary>
    public long ReadAt { get; set; }

    /// <summary>How far a command that waits has come; guarded by the device's lock of commands.</summary>
    public TcmuCommandState State { get; set; }

    /// <summary>Cancelled when the command's time is over or the device goes.</summary>
    public CancellationToken Abandoned => _abandon.Token;

    /// <summary>How an abandoned command ends, whatever its store says.</summary>
    public ScsiResult AbandonedResult { get; private set; }

    /// <summary>The number of segments whose reads the store had not ended at once.</summary>
    public int PendingReadCount { get; private set; }

    public RingSegment Segment(int index) => _segments[index];

    public void Begin(ushort id, ReadOnlySpan<byte> cdb, int segmentCount)
    {
        Id = id;
        cdb.CopyTo(_cdb);
        _cdb.AsSpan(cdb.Length).Clear();
        SegmentCount = 0;
        DataLength = 0;
        WaitingSince = 0;
        ReadAt = 0;
        State = TcmuCommandState.Running;
        PendingReadCount = 0;
        if (_segments.Length < segmentCount)
        {
            _segments = new RingSegment[Math.Max(segmentCount, _segments.Length * 2)];
        }

        if (_abandon.IsCancellationRequested)
        {
            _abandon.Dispose();
            _abandon = new CancellationTokenSource();
        }
    }

    public void Dispose() => _abandon.Dispose();

    public void AddSegment(RingSegment segment)
    {
        _segments[SegmentCount++] = segment;
        DataLength += segment.Length;
    }

    /// <summary>Keeps the read of one segment, to be awaited once.</summary>
    public void AddRead(ValueTask read)
    {
        if (PendingReadCount == _reads.Length)
        {
            Array.Resize(ref _reads, Math.Max(8, PendingReadCount * 2));
        }

        _reads[PendingReadCount++] = read;
    }

    public ValueTask TakeRead(int index)
    {
        ValueTask read = _reads[index];
        _reads[index] = default;
        return read;
    }

    /// <summary>Cancels; what waits for it goes on elsewhere, so that this may be called under a lock.</summary>
    public void Abandon(ScsiResult result)
    {
        AbandonedResult = result;
        _ = _abandon.CancelAsync();
    }
}
