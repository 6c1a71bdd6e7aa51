// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Images.Observation;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Images.Downloading;

/// <summary>Downloads the remote layers of an image as a whole while it is in use, one after the other, and reads them locally from then
/// on.</summary>
/// <remarks>
/// <para>Files and settings are those of overlaybd <c>src/bk_download.cpp</c>: a layer grows in <c>.download</c> in its directory and
/// becomes
/// <c>overlaybd.commit</c>. What an earlier download stored is used, and nothing is trusted before the digest of the whole is right.</para>
/// <para>A failure harms nobody: the layer goes on being read from its registry.</para>
/// </remarks>
public sealed class BackgroundDownload : IAsyncDisposable
{
    private const int LeastBlockSize = 4096;
    private const int MostBlockSize = 64 * 1024 * 1024;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _closing = new();
    private readonly DownloadCounters _counters = new();
    private readonly IReadOnlyList<DownloadTarget> _targets;
    private readonly DownloadConfig _settings;
    private readonly IBlockOperationObserver? _observer;
    private readonly TimeProvider _time;
    private readonly RateLimiter _limiter;
    private readonly ILogger _logger;
    private readonly Task _run;

    internal BackgroundDownload(
        IReadOnlyList<DownloadTarget> targets, DownloadConfig settings, IBlockOperationObserver? observer, TimeProvider time,
        ILogger logger)
    {
        _targets = targets;
        _settings = settings with
        {
            DelayInSeconds = Math.Max(0, settings.DelayInSeconds),
            Tries = Math.Max(1, settings.Tries),
            BlockSize = Math.Clamp(settings.BlockSize, LeastBlockSize, MostBlockSize),
        };
        _observer = observer;
        _time = time;
        _logger = logger;
        _limiter = new RateLimiter(settings.MaxMiBPerSecond * 1024L * 1024, time);
        _run = RunAsync(_closing.Token);
    }

    /// <summary>Gets a task that completes when no layer is left to be downloaded. It never fails.</summary>
    public Task Completion => _run;

    /// <summary>Gets what it has done so far.</summary>
    public BackgroundDownloadStatistics Statistics => _counters.Snapshot(_targets.Count);

    /// <summary>Stops it and waits until nothing of it runs; what it stored is used the next time. Calling it again does nothing.</summary>
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

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Devices that start together do not begin to download together.
            double jitter = Random.Shared.NextDouble() * Math.Max(0, _settings.ExtraDelayInSeconds);
            await Task.Delay(TimeSpan.FromSeconds(_settings.DelayInSeconds + jitter), _time, cancellationToken).ConfigureAwait(false);
            var queue = new Queue<(DownloadTarget Target, int Failures, bool KeepStored)>(_targets.Select(target => (target, 0, true)));
            while (queue.TryDequeue(out (DownloadTarget Target, int Failures, bool KeepStored) next))
            {
                TryResult result = await TryAsync(next.Target, next.KeepStored, cancellationToken).ConfigureAwait(false);
                if (result == TryResult.Done)
                {
                    continue;
                }

                int failures = result == TryResult.Busy ? next.Failures : next.Failures + 1;
                if (failures >= _settings.Tries)
                {
                    _counters.LayerFailed();
                    ImageLog.DownloadGivenUp(_logger, next.Target.Name, failures);
                    continue;
                }

                // The others first; what failed may be better then.
                queue.Enqueue((next.Target, failures, result != TryResult.Damaged));
                await Task.Delay(PauseAfter(failures), _time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The image is closed.
        }
    }

    private static TimeSpan PauseAfter(int failures)
    {
        TimeSpan pause = s_firstPause * (1 << Math.Min(10, Math.Max(0, failures - 1)));
        return pause < s_longestPause ? pause : s_longestPause;
    }

    private async Task<TryResult> TryAsync(DownloadTarget target, bool keepStored, CancellationToken cancellationToken)
    {
        try
        {
            var download = new LayerDownload(target, _settings.BlockSize, _limiter, _counters, _observer, _time);
            if (!File.Exists(target.CommitPath) && !await download.RunAsync(keepStored, cancellationToken).ConfigureAwait(false))
            {
                return TryResult.Busy;
            }

            FileBlockSource file = FileBlockSource.Open(target.CommitPath);
            BlockSource observed = ObservedBlockSource.Wrap(file, target.CommitPath, _observer, _time);
            await target.Source.SwitchAsync(observed, cancellationToken).ConfigureAwait(false);
            _counters.LayerCompleted();
            ImageLog.LayerDownloaded(_logger, target.Name, target.CommitPath);
            return TryResult.Done;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            _counters.TryFailed();
            ImageLog.DownloadFailed(_logger, e, target.Name);
            return e is InvalidDataException ? TryResult.Damaged : TryResult.Failed;
        }
    }

    private enum TryResult
    {
        Done,
        Busy,
        Failed,
        Damaged,
    }
}
