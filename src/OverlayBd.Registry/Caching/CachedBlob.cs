// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>What all open sources of one blob share: its stored units and its fetches under way.</summary>
internal sealed class CachedBlob
{
    public CachedBlob(CacheFile file, string path)
    {
        File = file;
        Path = path;
        Fetches = new FetchTable(file);
    }

    public CacheFile File { get; }

    /// <summary>Where the blob's bytes are stored.</summary>
    public string Path { get; }

    public FetchTable Fetches { get; }
}
