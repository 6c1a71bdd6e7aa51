// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Observation;

/// <summary>What an <see cref="IBlockOperationObserver"/> is told of.</summary>
public enum BlockOperation
{
    /// <summary>A read through the cache as its reader saw it, the wait for a fetch included.</summary>
    Read,

    /// <summary>A read of bytes that the cache has on disk.</summary>
    CacheRead,

    /// <summary>A write of fetched bytes to the cache's disk.</summary>
    CacheWrite,

    /// <summary>A read of a registry to fill the cache.</summary>
    Fetch,

    /// <summary>Stored bytes of a blob were dropped to keep the cache within its limits.</summary>
    Evict,

    /// <summary>A read of a layer that is a file on this machine.</summary>
    FileRead,

    /// <summary>A read of a registry to download a layer in the background.</summary>
    Download,
}
