// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Images;

/// <summary>What images log; event ids 3000 to 3099.</summary>
internal static partial class ImageLog
{
    [LoggerMessage(3000, LogLevel.Information, "{Image} is open: {Layers} layers, {Length} bytes, read-only: {IsReadOnly}.")]
    public static partial void ImageOpened(ILogger logger, string image, int layers, long length, bool isReadOnly);

    [LoggerMessage(3001, LogLevel.Debug, "Layer {Layer} is read from {Place}.")]
    public static partial void LayerOpened(ILogger logger, string layer, string place);

    [LoggerMessage(3002, LogLevel.Warning, "Layer {Layer} cannot be read from '{Path}' and is fetched instead.")]
    public static partial void LocalLayerFailed(ILogger logger, Exception error, string layer, string path);

    [LoggerMessage(3003, LogLevel.Warning, "Layer {Layer} looks damaged; what is cached of it is dropped and it is fetched again.")]
    public static partial void LayerOpenedAgain(ILogger logger, Exception error, string layer);

    [LoggerMessage(3004, LogLevel.Warning, "The result file '{Path}' cannot be written.")]
    public static partial void ResultFileFailed(ILogger logger, Exception error, string path);

    [LoggerMessage(3005, LogLevel.Debug, "{Image} is closed.")]
    public static partial void ImageClosed(ILogger logger, string image);

    [LoggerMessage(3020, LogLevel.Information, "{Image} has a snapshot: '{Sealed}' is sealed, writes go to '{Data}'.")]
    public static partial void SnapshotTaken(ILogger logger, string image, string @sealed, string data);

    [LoggerMessage(3021, LogLevel.Warning, "The directory of '{Path}' cannot be flushed; the snapshot may be undone by a power failure.")]
    public static partial void DirectoryFlushFailed(ILogger logger, string path);

    [LoggerMessage(3022, LogLevel.Information, "{Image} has grown to {Length} bytes.")]
    public static partial void ImageResized(ILogger logger, string image, long length);

    [LoggerMessage(3023, LogLevel.Warning, "The sealed layer '{Path}' cannot be opened once more to be listed.")]
    public static partial void SealedLayerNotListed(ILogger logger, Exception error, string path);

    [LoggerMessage(3006, LogLevel.Information, "What is read is recorded in the trace '{Path}'.")]
    public static partial void TraceStarted(ILogger logger, string path);

    [LoggerMessage(3007, LogLevel.Information, "{Records} reads are recorded, {Dropped} could not be, in the trace '{Path}'.")]
    public static partial void TraceWritten(ILogger logger, long records, long dropped, string path);

    [LoggerMessage(3008, LogLevel.Error, "The trace '{Path}' cannot be written.")]
    public static partial void TraceFailed(ILogger logger, Exception error, string path);

    [LoggerMessage(
        3009,
        LogLevel.Warning,
        "The trace '{Path}' does not exist: nothing is recorded and nothing replayed. To record, create it empty.")]
    public static partial void TraceMissing(ILogger logger, string path);

    [LoggerMessage(3010, LogLevel.Warning, "The trace {Trace} cannot be replayed.")]
    public static partial void TraceUnusable(ILogger logger, Exception error, string trace);

    [LoggerMessage(
        3011,
        LogLevel.Information,
        "The trace {Trace} is replayed: {Prefetches} prefetches, of which {Failed} failed, {Bytes} bytes.")]
    public static partial void TracePlayed(ILogger logger, string trace, int prefetches, int failed, long bytes);

    [LoggerMessage(3012, LogLevel.Debug, "A prefetch for the trace {Trace} failed: layer {Layer}, byte {Offset}.")]
    public static partial void PrefetchFailed(ILogger logger, Exception error, string trace, int layer, long offset);

    [LoggerMessage(3013, LogLevel.Information, "Layer {Layer} is downloaded and read from '{Path}'.")]
    public static partial void LayerDownloaded(ILogger logger, string layer, string path);

    [LoggerMessage(3014, LogLevel.Warning, "A try to download layer {Layer} failed; it is read from its repository meanwhile.")]
    public static partial void DownloadFailed(ILogger logger, Exception error, string layer);

    [LoggerMessage(3015, LogLevel.Error, "The download of layer {Layer} is given up after {Tries} tries; it is read from its repository.")]
    public static partial void DownloadGivenUp(ILogger logger, string layer, int tries);
}
