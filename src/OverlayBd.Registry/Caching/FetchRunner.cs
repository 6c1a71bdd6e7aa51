// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Format;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Caching;

/// <summary>Runs the fetches of one source: reads the origin, hands the bytes to the readers, stores them.</summary>
internal sealed class FetchRunner : IAsyncDisposable
{
    // asm-generic/errno.h; an IOException of the file API carries the errno as its HResult.
    private const int ENOSPC = 28;
    private const int EDQUOT = 122;
    private readonly CancellationTokenSource _closing = new();
    private readonly BlockCache _cache;
    private readonly CachedBlob _blob;
    private readonly BlockSource _origin;
    private readonly CacheCounters _counters;
    private readonly string _name;

    // Told apart from the name for messages: the layer may have any name, and this is what is read.
    private readonly string _originName;

    // Guards the two fields below: what runs, and whether more may start.
    private readonly Lock _gate = new();
    private readonly HashSet<UnitFetch> _running = [];
    private bool _closed;

    public FetchRunner(BlockCache cache, CachedBlob blob, BlockSource origin, CacheCounters counters, string name)
    {
        _cache = cache;
        _blob = blob;
        _origin = origin;
        _counters = counters;
        _name = name;
        _originName = origin.ToString() ?? name;
        Closing = _closing.Token;
    }

    /// <summary>Cancelled when the source is closed.</summary>
    public CancellationToken Closing { get; }

    /// <summary>Starts new fetches.</summary>
    public void Start(List<UnitFetch>? fetches)
    {
        if (fetches is null)
        {
            return;
        }

        foreach (UnitFetch fetch in fetches)
        {
            var finished = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            fetch.Finished = finished.Task;
            bool closed;
            lock (_gate)
            {
                closed = _closed;
                if (!closed)
                {
                    _running.Add(fetch);
                }
            }

            if (closed)
            {
                _blob.Fetches.Fail(fetch, new OperationCanceledException(Closing));
                _blob.Fetches.Finish(fetch);
                finished.SetResult();
            }
            else
            {
                _ = RunAsync(fetch, finished);
            }
        }
    }

    /// <summary>Cancels what runs and waits until it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        UnitFetch[] running;
        lock (_gate)
        {
            _closed = true;
            running = [.. _running];
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running.Select(fetch => fetch.Finished)).ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task RunAsync(UnitFetch fetch, TaskCompletionSource finished)
    {
        try
        {
            await _cache.FetchSlots.WaitAsync(fetch.Token).ConfigureAwait(false);
            try
            {
                Memory<byte> buffer = fetch.RentBuffer();
                await ReadOriginAsync(fetch, buffer).ConfigureAwait(false);
                if (_blob.Fetches.Complete(fetch))
                {
                    Store(fetch);
                }
            }
            finally
            {
                _cache.FetchSlots.Release();
            }
        }
        catch (Exception e)
        {
            // Whatever it is, it belongs to those who wait: nobody else looks at this task.
            Report(fetch, e);
            _blob.Fetches.Fail(fetch, fetch.Token.IsCancellationRequested ? new OperationCanceledException(fetch.Token) : e);
        }
        finally
        {
            _blob.Fetches.Finish(fetch);
            lock (_gate)
            {
                _running.Remove(fetch);
            }

            finished.SetResult();
        }
    }

    private async Task ReadOriginAsync(UnitFetch fetch, Memory<byte> buffer)
    {
        using Activity? activity = RegistryTelemetry.Activities.StartActivity("overlaybd.cache.fetch");
        activity?.SetTag("overlaybd.blob", _originName).SetTag("overlaybd.offset", fetch.Offset).SetTag("overlaybd.length", fetch.Length);
        long started = _cache.TimeProvider.GetTimestamp();
        _counters.FetchStarted();
        try
        {
            await _origin.ReadAsync(fetch.Offset, buffer, fetch.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
            if (!fetch.Token.IsCancellationRequested)
            {
                RegistryTelemetry.Fetched(_cache.TimeProvider.GetElapsedTime(started), e);
            }

            throw;
        }

        _counters.Fetched(fetch.Length);
        TimeSpan elapsed = _cache.TimeProvider.GetElapsedTime(started);
        RegistryTelemetry.Fetched(elapsed, error: null);
        _cache.Observer?.OnCompleted(BlockOperation.Fetch, _originName, fetch.Offset, fetch.Length, elapsed);
    }

    private void Report(UnitFetch fetch, Exception error)
    {
        if (!fetch.Token.IsCancellationRequested)
        {
            _counters.FetchFailed();
            if (fetch.IsReadAhead)
            {
                BlockCacheLog.ReadAheadFailed(_cache.Logger, error, _name, fetch.Offset);
            }
        }
    }

    // The readers have their bytes already: no failure here is theirs.
    private void Store(UnitFetch fetch)
    {
        long bytes = (fetch.Length + 4095) & ~4095L;
        if (!_cache.Space.TryReserve(bytes))
        {
            _counters.WriteFailed();
            _cache.WarnOnce(null, _name);
            return;
        }

        long stored = 0;
        try
        {
            long started = _cache.TimeProvider.GetTimestamp();
            stored = _blob.File.Store(fetch, fetch.Bytes);
            _cache.Observer?.OnCompleted(
                BlockOperation.CacheWrite, _blob.Path, fetch.Offset, fetch.Length, _cache.TimeProvider.GetElapsedTime(started));
        }
        catch (IOException e)
        {
            _counters.WriteFailed();
            _cache.WarnOnce(e, _name);
            if (e.HResult is ENOSPC or EDQUOT)
            {
                _cache.Space.Shrink(bytes);
            }
        }
        finally
        {
            _cache.Space.Settle(bytes, stored);
        }
    }
}
