// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;

namespace OverlayBd.Format.Trace;

/// <summary>Writes a trace file, record by record. It is one only after <see cref="CompleteAsync"/>.</summary>
/// <remarks>An instance is used by one caller at a time.</remarks>
public sealed class TraceWriter : IAsyncDisposable
{
    private const int BufferRecords = 2048;

    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly long _start;
    private readonly byte[] _buffer = new byte[BufferRecords * TraceRecord.Size];
    private int _buffered;
    private uint _checksum;
    private State _state;

    /// <summary>Starts a trace.</summary>
    /// <param name="output">Where it goes, from the current position on; it can seek, because the header is written last.
    /// Owned unless <paramref name="leaveOpen"/>.</param>
    /// <param name="leaveOpen">Whether disposing the writer leaves <paramref name="output"/> open.</param>
    /// <exception cref="ArgumentException"><paramref name="output"/> cannot seek, or not be written.</exception>
    public TraceWriter(Stream output, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!output.CanSeek || !output.CanWrite)
        {
            throw new ArgumentException("A trace needs a stream that can be written and can seek.", nameof(output));
        }

        _output = output;
        _leaveOpen = leaveOpen;
        _start = output.Position;
    }

    private enum State
    {
        New,
        Open,
        Complete,
    }

    /// <summary>Gets how many records were written.</summary>
    public long Count { get; private set; }

    /// <summary>Writes a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Abandons the write; the trace is then useless.</param>
    /// <returns>A task that completes, usually at once, when the record is written or buffered.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A field of the record is negative, or its operation is unknown.</exception>
    /// <exception cref="InvalidOperationException">The trace is complete.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public ValueTask WriteAsync(TraceRecord record, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(record.Layer, nameof(record));
        ArgumentOutOfRangeException.ThrowIfNegative(record.Offset, nameof(record));
        ArgumentOutOfRangeException.ThrowIfNegative(record.Length, nameof(record));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, long.MaxValue - record.Offset, nameof(record));
        if (record.Operation is not (TraceOperation.Read or TraceOperation.Write))
        {
            throw new ArgumentOutOfRangeException(nameof(record), record.Operation, "A trace knows reads and writes only.");
        }

        if (_state == State.Complete)
        {
            throw new InvalidOperationException("The trace is complete.");
        }

        record.WriteTo(_buffer.AsSpan(_buffered));
        _buffered += TraceRecord.Size;
        Count++;
        return _buffered == _buffer.Length ? new ValueTask(WriteBufferAsync(cancellationToken)) : ValueTask.CompletedTask;
    }

    /// <summary>Writes what is buffered, and the header. The output is flushed, as far as its stream does that, and stands at its
    /// end.</summary>
    /// <param name="cancellationToken">Abandons the completion; the trace is then useless.</param>
    /// <returns>A task that completes when the trace is written.</returns>
    /// <exception cref="InvalidOperationException">The trace is complete already.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        if (_state == State.Complete)
        {
            throw new InvalidOperationException("The trace is complete already.");
        }

        await WriteBufferAsync(cancellationToken).ConfigureAwait(false);
        _state = State.Complete;
        byte[] header = new byte[TraceHeader.Size];
        new TraceHeader(Count * TraceRecord.Size, _checksum).WriteTo(header);
        long end = _output.Position;
        _output.Position = _start;
        await _output.WriteAsync(header, cancellationToken).ConfigureAwait(false);
        _output.Position = end;
        await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Releases the output, if it is owned. A trace that was not completed is not one. Calling it again does nothing.</summary>
    /// <returns>A task that completes when the output is released.</returns>
    public ValueTask DisposeAsync() => _leaveOpen ? ValueTask.CompletedTask : _output.DisposeAsync();

    private async Task WriteBufferAsync(CancellationToken cancellationToken)
    {
        if (_state == State.New)
        {
            // No magic number until the end: what a crash leaves is no trace.
            await _output.WriteAsync(new byte[TraceHeader.Size], cancellationToken).ConfigureAwait(false);
            _state = State.Open;
        }

        _checksum = Crc32C.Append(_checksum, _buffer.AsSpan(0, _buffered));
        await _output.WriteAsync(_buffer.AsMemory(0, _buffered), cancellationToken).ConfigureAwait(false);
        _buffered = 0;
    }
}
