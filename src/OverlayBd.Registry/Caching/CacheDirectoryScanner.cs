// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Caching;

/// <summary>Reads what an earlier process left in a cache directory: <c>ALGORITHM/HEX.map</c> and <c>ALGORITHM/HEX.data</c> for each
/// blob.</summary>
internal static class CacheDirectoryScanner
{
    /// <summary>Finds the blobs, the one used longest ago first. Files of blobs that cannot be used are deleted, others are left
    /// alone.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public static List<CacheEntry> Scan(string directory, ILogger logger)
    {
        List<(CacheEntry Entry, DateTime LastUsed)> found = [];
        foreach (string folder in Directory.EnumerateDirectories(directory))
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*" + CacheEntry.DataSuffix))
            {
                if (!File.Exists(Path.ChangeExtension(path, CacheEntry.MapSuffix)) && DigestOf(path) is not null)
                {
                    Delete(path, logger);
                }
            }

            foreach (string path in Directory.EnumerateFiles(folder, "*" + CacheEntry.MapSuffix))
            {
                if (DigestOf(path) is not Digest digest)
                {
                    continue;
                }

                var entry = new CacheEntry(digest, Path.Combine(folder, digest.Hex));
                if (File.Exists(entry.DataPath) && TryLoad(entry, logger))
                {
                    found.Add((entry, File.GetLastWriteTimeUtc(path)));
                }
                else
                {
                    Delete(entry.MapPath, logger);
                    Delete(entry.DataPath, logger);
                }
            }
        }

        found.Sort((a, b) => a.LastUsed.CompareTo(b.LastUsed));
        return found.ConvertAll(f => f.Entry);
    }

    public static void Delete(string path, ILogger logger)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BlockCacheLog.FileOperationFailed(logger, e, path);
        }
    }

    private static bool TryLoad(CacheEntry entry, ILogger logger)
    {
        using UnitMap? map = UnitMap.TryOpen(entry.MapPath);
        if (map is null || map.Header.Digest != entry.Digest)
        {
            return false;
        }

        try
        {
            UnitSet stored = map.Load();
            for (long unit = 0; unit < map.Header.UnitCount; unit++)
            {
                entry.StoredBytes += stored.Contains(unit) ? map.Header.StoredLength(unit) : 0;
            }

            return entry.StoredBytes > 0;
        }
        catch (IOException e)
        {
            BlockCacheLog.FileOperationFailed(logger, e, entry.MapPath);
            return false;
        }
    }

    private static Digest? DigestOf(string path) =>
        Digest.TryParse($"{Path.GetFileName(Path.GetDirectoryName(path))}:{Path.GetFileNameWithoutExtension(path)}", out Digest digest)
            ? digest
            : null;
}
