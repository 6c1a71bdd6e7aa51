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
}
