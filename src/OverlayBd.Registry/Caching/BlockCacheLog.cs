// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Registry.Caching;

/// <summary>What the cache logs; event ids 2500 to 2599.</summary>
internal static partial class BlockCacheLog
{
    [LoggerMessage(2500, LogLevel.Information, "Cache '{Directory}' is open: {Bytes} bytes stored.")]
    public static partial void Opened(ILogger logger, string directory, long bytes);

    [LoggerMessage(2501, LogLevel.Debug, "{Bytes} bytes were dropped from cache '{Directory}'; {Left} are stored.")]
    public static partial void Evicted(ILogger logger, long bytes, string directory, long left);

    [LoggerMessage(
        2502,
        LogLevel.Warning,
        "{Name} cannot be stored in the cache and is served without it; further failures are only counted.")]
    public static partial void StoreFailed(ILogger logger, Exception? error, string name);

    [LoggerMessage(2503, LogLevel.Warning, "{Count} cached units of {Name} did not match their checksum and are fetched again.")]
    public static partial void UnitsDamaged(ILogger logger, int count, string name);

    [LoggerMessage(2504, LogLevel.Warning, "{Count} cached units of {Name} at byte {Offset} were reported damaged and are fetched again.")]
    public static partial void UnitsInvalidated(ILogger logger, int count, string name, long offset);

    [LoggerMessage(2505, LogLevel.Warning, "The cache files of {Name} ({Digest}) cannot be opened; it is served without the cache.")]
    public static partial void BlobNotCached(ILogger logger, Exception error, string name, string digest);

    [LoggerMessage(2506, LogLevel.Information, "What was cached of {Name} ({Digest}) had another length or unit size and is dropped.")]
    public static partial void BlobForgotten(ILogger logger, string name, string digest);

    [LoggerMessage(2507, LogLevel.Warning, "The cache could not change '{Path}'.")]
    public static partial void FileOperationFailed(ILogger logger, Exception error, string path);

    [LoggerMessage(
        2508,
        LogLevel.Warning,
        "The file system of '{Directory}' cannot punch holes: open blobs are not evicted, and are served uncached once the cache is full.")]
    public static partial void CannotPunchHoles(ILogger logger, string directory);

    [LoggerMessage(2509, LogLevel.Debug, "Reading ahead in {Name} at byte {Offset} failed; a reader that needs it will ask again.")]
    public static partial void ReadAheadFailed(ILogger logger, Exception error, string name, long offset);
}
