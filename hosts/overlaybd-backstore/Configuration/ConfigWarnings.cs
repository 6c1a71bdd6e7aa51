// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;

namespace OverlayBd.Backstore.Configuration;

/// <summary>What a configuration asks for and this server does not do, one sentence each. Defaults ask for nothing.</summary>
internal static class ConfigWarnings
{
    public static IEnumerable<string> Find(ServiceConfig config) => [.. config.Warnings, .. FindIdle(config)];

    private static IEnumerable<string> FindIdle(ServiceConfig config)
    {
        ServiceConfig defaults = new();
        if (config.RegistryFsVersion != defaults.RegistryFsVersion)
        {
            yield return $"registryFsVersion: '{config.RegistryFsVersion}' has no effect; there is one registry client.";
        }

        if (config.IoEngine != 0)
        {
            yield return "ioEngine: has no effect; there is one way that local files are read.";
        }

        if (config.EnableThread)
        {
            yield return "enableThread: has no effect; all devices share the server's threads, and none holds up another.";
        }

        CacheConfig cache = config.EffectiveCache;
        if (cache.Type != "file")
        {
            yield return $"cacheConfig.cacheType: '{cache.Type}' is served by the file cache, which is the only one.";
        }

        if (cache.BlockSize != defaults.Cache.BlockSize)
        {
            yield return "cacheConfig.blockSize: has no effect; it is of the ocf cache.";
        }

        if (config.GzipCache.Enable)
        {
            yield return "gzipCacheConfig: has no effect; turboOCI layers are not served yet.";
        }

        if (config.P2P.Enable)
        {
            yield return "p2pConfig: has no effect; blobs are fetched from their registry, or from the mirrors of registryConfig.hostsDir.";
        }

        if (config.Exporter.UpdateIntervalInMicroseconds != defaults.Exporter.UpdateIntervalInMicroseconds)
        {
            yield return "exporterConfig.updateInterval: has no effect; every scrape sees the present values.";
        }
    }
}
