// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Backstore;

/// <summary>
/// The folders of a cache directory. A cache belongs to one process at a time, and private servers run side by side: each takes
/// the first folder that is free, so that one after the other finds what the last one fetched.
/// </summary>
internal static class CacheDirectories
{
    private const int EAGAIN = 11;
    private const int MostProcesses = 1024;

    public static async Task<BlockCache> OpenFirstFreeAsync(BackstoreOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        for (int number = 0; ; number++)
        {
            BlockCacheOptions cache = new()
            {
                Directory = Path.Combine(options.CacheDirectory, number.ToString(CultureInfo.InvariantCulture)),
                CapacityBytes = options.CacheBytes,
            };
            try
            {
                return await BlockCache.OpenAsync(cache, loggers, meterFactory: null, cancellationToken);
            }
            catch (IOException e) when (e.InnerException?.HResult == EAGAIN && number < MostProcesses)
            {
                // Another process has this one.
            }
        }
    }
}
