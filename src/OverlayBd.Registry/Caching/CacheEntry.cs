// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Caching;

/// <summary>A blob in the <see cref="CacheIndex"/>, open or not. Guarded by the index.</summary>
internal sealed class CacheEntry(Digest digest, string path)
{
    public const string MapSuffix = ".map";
    public const string DataSuffix = ".data";

    public Digest Digest => digest;

    public string MapPath { get; } = path + MapSuffix;

    public string DataPath { get; } = path + DataSuffix;

    /// <summary>The blob while sources of it are open.</summary>
    public CachedBlob? Blob { get; set; }

    public int OpenCount { get; set; }

    /// <summary>The bytes stored, as of when the blob was last closed.</summary>
    public long StoredBytes { get; set; }

    /// <summary>When the blob was last used, while it is not open; in the time of <see cref="CacheUsage"/>.</summary>
    public long LastUsed { get; set; }
}
