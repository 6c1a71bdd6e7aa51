// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Images.Observation;

namespace OverlayBd.Images.Downloading;

/// <summary>The counts of a background download; one writer, any readers.</summary>
internal sealed class DownloadCounters
{
    private int _completed;
    private int _failed;
    private int _failedTries;
    private long _downloaded;
    private long _resumed;

    public void LayerCompleted()
    {
        Interlocked.Increment(ref _completed);
        ImageTelemetry.LayerDownloaded(success: true);
    }

    public void LayerFailed()
    {
        Interlocked.Increment(ref _failed);
        ImageTelemetry.LayerDownloaded(success: false);
    }

    public void TryFailed()
    {
        Interlocked.Increment(ref _failedTries);
        ImageTelemetry.DownloadFailed();
    }

    public void Downloaded(int bytes)
    {
        Interlocked.Add(ref _downloaded, bytes);
        ImageTelemetry.Downloaded(bytes);
    }

    public void Resumed(int bytes) => Interlocked.Add(ref _resumed, bytes);

    public BackgroundDownloadStatistics Snapshot(int layers) => new(
        layers,
        Volatile.Read(ref _completed),
        Volatile.Read(ref _failed),
        Volatile.Read(ref _failedTries),
        Interlocked.Read(ref _downloaded),
        Interlocked.Read(ref _resumed));
}
