// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>What all open sources of one blob share: its stored units and its fetches under way.</summary>
internal sealed class CachedBlob
{
    public CachedBlob(CacheFile file)
    {
        File = file;
        Fetches = new FetchTable(file);
    }

    public CacheFile File { get; }

    public FetchTable Fetches { get; }
}
