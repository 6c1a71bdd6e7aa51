// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registries;

/// <summary>
/// The folders of a cache directory. A cache belongs to one process at a time, and private servers run side by side: each takes
/// the first folder that is free, so that one after the other finds what the last one fetched.
/// </summary>
internal static class CacheDirectories
{
    public const string DefaultPath = "/var/cache/overlaybd";

    /// <summary>The size that one folder is kept under, in bytes.</summary>
    public const long DefaultCapacity = 4L << 30;

    private const int LargestFetch = 1 << 20;
    private const int EAGAIN = 11;
    private const int MostProcesses = 1024;

    /// <param name="directory">The cache directory.</param>
    /// <param name="capacity">The size that the folder is kept under, in bytes.</param>
    /// <param name="unit">How much is fetched and stored at a time, in bytes.</param>
    /// <param name="observer">Who wants to know of slow operations; null for nobody.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    public static async Task<BlockCache> OpenFirstFreeAsync(
        string directory, long capacity, int unit, IBlockOperationObserver? observer, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        for (int number = 0; ; number++)
        {
            BlockCacheOptions options = new()
            {
                Directory = Path.Combine(directory, number.ToString(CultureInfo.InvariantCulture)),
                CapacityBytes = capacity,
                UnitSize = unit,
                Observer = observer,
                MaxFetchBytes = Math.Max(unit, LargestFetch),
            };
            try
            {
                return await BlockCache.OpenAsync(options, loggers, meterFactory: null, cancellationToken);
            }
            catch (IOException e) when (e.InnerException?.HResult == EAGAIN && number < MostProcesses)
            {
                // Another process has this one.
            }
        }
    }
}
