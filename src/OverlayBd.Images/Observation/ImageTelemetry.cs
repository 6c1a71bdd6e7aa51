// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Diagnostics.Metrics;
using OverlayBd.Registry;

namespace OverlayBd.Images.Observation;

/// <summary>The instruments and the spans of this library. One set a process: they outlive images.</summary>
internal static class ImageTelemetry
{
    private const string Name = "OverlayBd.Images";
    private const string ErrorTag = "error.type";

    // From an image whose indexes are all cached to one on a slow registry, in seconds.
    private static readonly InstrumentAdvice<double> s_openTimes =
        new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] };

    private static readonly Meter s_meter = new(Name);

    private static readonly UpDownCounter<long> s_open = s_meter.CreateUpDownCounter<long>(
        "overlaybd.image.open", "{image}", "Images that are open.");

    private static readonly Histogram<double> s_imageOpens = s_meter.CreateHistogram(
        "overlaybd.image.open.duration", "s", "Time to open an image.", tags: null, s_openTimes);

    private static readonly Histogram<double> s_layerOpens = s_meter.CreateHistogram(
        "overlaybd.layer.open.duration", "s", "Time to open a layer.", tags: null, s_openTimes);

    private static readonly Counter<long> s_downloaded =
        s_meter.CreateCounter<long>("overlaybd.download.received", "By", "Bytes downloaded in the background.");

    private static readonly Counter<long> s_downloadedLayers =
        s_meter.CreateCounter<long>("overlaybd.download.layers", "{layer}", "Layers that were downloaded in the background, or given up.");

    private static readonly Counter<long> s_failedDownloads =
        s_meter.CreateCounter<long>("overlaybd.download.failures", "{try}", "Tries to download a layer in the background that failed.");

    private static readonly Counter<long> s_prefetched =
        s_meter.CreateCounter<long>("overlaybd.prefetch.io", "By", "Uncompressed bytes brought near by the replay of traces.");

    private static readonly Counter<long> s_failedPrefetches =
        s_meter.CreateCounter<long>("overlaybd.prefetch.failures", "{prefetch}", "Prefetches of replayed traces that failed.");

    private static readonly ActivitySource s_activities = new(Name);

    public static Activity? StartImageOpen() => s_activities.StartActivity("overlaybd.image.open");

    public static Activity? StartLayerOpen(string layer) =>
        s_activities.StartActivity("overlaybd.layer.open")?.SetTag("overlaybd.layer", layer);

    public static void ImageOpened(TimeSpan elapsed, Activity? activity, Exception? error)
    {
        string? kind = KindOf(error);
        End(activity, kind);
        Record(s_imageOpens, elapsed, kind);
        s_open.Add(kind is null ? 1 : 0);
    }

    public static void ImageClosed() => s_open.Add(-1);

    public static void LayerOpened(TimeSpan elapsed, Activity? activity, Exception? error)
    {
        string? kind = KindOf(error);
        End(activity, kind);
        Record(s_layerOpens, elapsed, kind);
    }

    public static void Downloaded(int bytes) => s_downloaded.Add(bytes);

    public static void LayerDownloaded(bool success) =>
        s_downloadedLayers.Add(1, new KeyValuePair<string, object?>("outcome", success ? "completed" : "given_up"));

    public static void DownloadFailed() => s_failedDownloads.Add(1);

    public static void Prefetched(long bytes) => s_prefetched.Add(bytes);

    public static void PrefetchFailed() => s_failedPrefetches.Add(1);

    private static void End(Activity? activity, string? kind)
    {
        if (kind is not null && activity is { IsAllDataRequested: true })
        {
            activity.SetTag(ErrorTag, kind).SetStatus(ActivityStatusCode.Error);
        }

        activity?.Dispose();
    }

    private static void Record(Histogram<double> histogram, TimeSpan elapsed, string? kind)
    {
        if (kind is null)
        {
            histogram.Record(elapsed.TotalSeconds);
        }
        else
        {
            histogram.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>(ErrorTag, kind));
        }
    }

    private static string? KindOf(Exception? error) => error switch
    {
        null => null,
        OperationCanceledException => "cancelled",
        InvalidDataException or EndOfStreamException => "invalid_data",
        NotSupportedException => "not_supported",
        RegistryException or { InnerException: RegistryException } => "registry",
        IOException or UnauthorizedAccessException => "file",
        _ => "other",
    };
}
