// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Format.Trace;
using OverlayBd.Images.Observation;

namespace OverlayBd.Images.Tracing;

/// <summary>Replays a trace: has the cache fetch what an earlier run read, before and beside those who read now.</summary>
/// <remarks>It starts with its image and hands out no bytes. Reads find what it fetched in the cache, or join the fetch that is under way;
/// none waits for anything else. Its failures are counted and logged, and harm nobody.</remarks>
public sealed class TracePlayer : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly IReadOnlyList<BlockSource?> _layers;
    private readonly PrefetchBudget _budget;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly Task _run;
    private int _records;
    private int _skipped;
    private int _prefetches;
    private int _completed;
    private int _failed;
    private long _bytes;
    private int _state;

    /// <param name="name">What messages call the trace.</param>
    /// <param name="read">Reads the trace.</param>
    /// <param name="layers">The bare LSMT file of each layer; null for one that needs no prefetch. They stay open until this is
    /// disposed.</param>
    /// <param name="budget">The limit on what runs at a time.</param>
    /// <param name="logger">Where to log.</param>
    internal TracePlayer(
        string name,
        Func<CancellationToken, Task<IReadOnlyList<TraceRecord>>> read,
        IReadOnlyList<BlockSource?> layers,
        PrefetchBudget budget,
        ILogger logger)
    {
        _name = name;
        _layers = layers;
        _budget = budget;
        _logger = logger;
        _run = RunAsync(read, _closing.Token);
    }

    /// <summary>Gets a task that completes when there is nothing more to prefetch. It never fails.</summary>
    public Task Completion => _run;

    /// <summary>Gets what it has done so far.</summary>
    public TracePlayerStatistics Statistics => new(
        (TracePlayerState)Volatile.Read(ref _state),
        Volatile.Read(ref _records),
        Volatile.Read(ref _skipped),
        Volatile.Read(ref _prefetches),
        Volatile.Read(ref _completed),
        Volatile.Read(ref _failed),
        Interlocked.Read(ref _bytes));

    /// <summary>Stops it and waits until nothing of it runs. Calling it again does nothing.</summary>
    /// <returns>A task that completes when it has stopped.</returns>
    public async ValueTask DisposeAsync()
    {
        if (!_run.IsCompleted)
        {
            await _closing.CancelAsync().ConfigureAwait(false);
        }

        await _run.ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task<IReadOnlyList<TraceRecord>>> read, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<TraceRecord> records = await read(cancellationToken).ConfigureAwait(false);
            List<PrefetchRange> ranges = PrefetchPlan.Make(records, [.. _layers.Select(layer => layer?.Length ?? 0)], out int skipped);
            Volatile.Write(ref _records, records.Count);
            Volatile.Write(ref _skipped, skipped);
            Volatile.Write(ref _prefetches, ranges.Count);
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = _budget.Concurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(ranges, parallel, PrefetchAsync).ConfigureAwait(false);
            Volatile.Write(ref _state, (int)TracePlayerState.Completed);
            ImageLog.TracePlayed(_logger, _name, ranges.Count, Volatile.Read(ref _failed), Interlocked.Read(ref _bytes));
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref _state, (int)TracePlayerState.Cancelled);
        }
        catch (Exception e)
        {
            // Whatever it is: it is nobody's but the trace's, and must not come up where the image is closed.
            Volatile.Write(ref _state, (int)TracePlayerState.Unusable);
            ImageLog.TraceUnusable(_logger, e, _name);
        }
    }

    private async ValueTask PrefetchAsync(PrefetchRange range, CancellationToken cancellationToken)
    {
        await _budget.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_layers[range.Layer] is IPrefetchable layer)
            {
                await layer.PrefetchAsync(range.Offset, range.Length, cancellationToken).ConfigureAwait(false);
            }

            Interlocked.Add(ref _bytes, range.Length);
            ImageTelemetry.Prefetched(range.Length);
            Interlocked.Increment(ref _completed);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Interlocked.Increment(ref _failed);
            ImageTelemetry.PrefetchFailed();
            ImageLog.PrefetchFailed(_logger, e, _name, range.Layer, range.Offset);
        }
        finally
        {
            _budget.Leave();
        }
    }
}
