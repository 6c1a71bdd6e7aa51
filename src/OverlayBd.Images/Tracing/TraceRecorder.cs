// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using OverlayBd.Format.Trace;

namespace OverlayBd.Images.Tracing;

/// <summary>A running recording of what is read of an image's layers. <see cref="OverlayBdImage.StartTrace"/> makes one.</summary>
/// <remarks>
/// <para>Readers only leave a note; the file is written elsewhere. When they are faster than the file, or the limit is reached, what cannot
/// be noted is counted instead: no read ever waits for the trace.</para>
/// <para>It ends when it is stopped or disposed, when its image is disposed, or when its lock file is removed. The trace then appears as a
/// whole.</para>
/// </remarks>
public sealed class TraceRecorder : IAsyncDisposable
{
    private const int QueueRecords = 64 * 1024;

    private readonly Channel<TraceRecord> _queue = Channel.CreateBounded<TraceRecord>(
        new BoundedChannelOptions(QueueRecords) { SingleReader = true });

    private readonly TraceTap _tap;
    private readonly TraceMarkers? _markers;
    private readonly int _maxRecords;
    private readonly string _temporaryPath;
    private readonly FileStream _file;
    private readonly ILogger _logger;
    private readonly ITimer? _markerTimer;
    private readonly Task _run;
    private long _noted;
    private long _dropped;
    private bool _abandoned;

    private TraceRecorder(TraceTap tap, TraceRecorderOptions options, TimeProvider time, ILogger logger)
    {
        _tap = tap;
        _maxRecords = options.MaxRecords;
        _logger = logger;
        Path = System.IO.Path.GetFullPath(options.Path);
        _temporaryPath = $"{Path}.{Guid.NewGuid():N}.tmp";
        _file = new FileStream(_temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            if (options.UseMarkerFiles)
            {
                _markers = new TraceMarkers(Path);
                _markers.Begin();
                _markerTimer = time.CreateTimer(_ => EndWhenUnlocked(), null, options.MarkerInterval, options.MarkerInterval);
            }
        }
        catch
        {
            _file.Dispose();
            File.Delete(_temporaryPath);
            throw;
        }

        _run = RunAsync();
    }

    /// <summary>Gets the path of the trace.</summary>
    public string Path { get; }

    /// <summary>Gets how many reads were recorded so far.</summary>
    public long RecordedReads => Math.Min(Interlocked.Read(ref _noted) - DroppedReads, _maxRecords);

    /// <summary>Gets how many reads could not be recorded so far.</summary>
    public long DroppedReads => Interlocked.Read(ref _dropped);

    /// <summary>Gets a task that completes when the recording has ended and the trace is written, and fails as <see cref="StopAsync"/>
    /// does.</summary>
    public Task Completion => _run;

    /// <summary>Starts a recording and attaches it.</summary>
    /// <exception cref="InvalidOperationException">There is one already.</exception>
    /// <exception cref="IOException">The trace cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    internal static TraceRecorder Start(TraceTap tap, TraceRecorderOptions options, TimeProvider time, ILogger logger)
    {
        const string Running = "A trace is being recorded already.";
        options.Validate();

        // First of all, because a second recording of the same path would take the marker files of the first.
        if (tap.Recorder is not null)
        {
            throw new InvalidOperationException(Running);
        }

        var recorder = new TraceRecorder(tap, options, time, logger);
        if (!tap.TryAttach(recorder))
        {
            recorder.Abandon();
            throw new InvalidOperationException(Running);
        }

        ImageLog.TraceStarted(logger, recorder.Path);
        return recorder;
    }

    /// <summary>Ends the recording and waits until the trace is written. Calling it again only waits.</summary>
    /// <param name="cancellationToken">Abandons the wait; the recording ends all the same.</param>
    /// <returns>A task that completes when the trace is there.</returns>
    /// <exception cref="IOException">The trace could not be written; what was at its path is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The trace may not be written.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        End();
        return _run.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the recording as <see cref="StopAsync"/> does; a failure was logged and is not thrown.</summary>
    /// <returns>A task that completes when the recording has ended.</returns>
    public async ValueTask DisposeAsync()
    {
        End();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Ends the recording without a trace: the image it was to be of did not open.</summary>
    internal ValueTask AbandonAsync()
    {
        Abandon();
        return DisposeAsync();
    }

    /// <summary>Notes a read. Never waits, never fails.</summary>
    internal void Add(int layer, long offset, int length)
    {
        if (Interlocked.Increment(ref _noted) - Interlocked.Read(ref _dropped) > _maxRecords
            || !_queue.Writer.TryWrite(new TraceRecord(TraceOperation.Read, layer, offset, length)))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private void Abandon()
    {
        Volatile.Write(ref _abandoned, true);
        End();
    }

    private void End()
    {
        _tap.Detach(this);
        _queue.Writer.TryComplete();
    }

    private void EndWhenUnlocked()
    {
        if (!_markers!.IsLocked)
        {
            End();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await using (_file.ConfigureAwait(false))
            {
                var writer = new TraceWriter(_file, leaveOpen: true);
                await foreach (TraceRecord record in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
                {
                    await writer.WriteAsync(record).ConfigureAwait(false);
                }

                await writer.CompleteAsync().ConfigureAwait(false);
                _file.Flush(flushToDisk: true);
            }

            Finish();
        }
        catch (Exception e)
        {
            End();
            ImageLog.TraceFailed(_logger, e, Path);
            File.Delete(_temporaryPath);
            _markers?.Abandon();
            throw;
        }
        finally
        {
            _markerTimer?.Dispose();
        }
    }

    private void Finish()
    {
        if (Volatile.Read(ref _abandoned))
        {
            File.Delete(_temporaryPath);
            _markers?.Abandon();
            return;
        }

        DurableFile.Publish(_temporaryPath, Path);
        _markers?.Complete();
        ImageLog.TraceWritten(_logger, RecordedReads, DroppedReads, Path);
    }
}
