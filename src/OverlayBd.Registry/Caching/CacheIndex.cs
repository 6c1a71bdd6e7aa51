// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Caching;

/// <summary>The blobs of a cache directory: finds, opens, closes and deletes their files.</summary>
internal sealed class CacheIndex
{
    // Guards the dictionary and its entries. Reads of blobs never take it; opening, closing and evicting do, with their file operations.
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, CacheEntry> _entries = [];
    private readonly string _directory;
    private readonly int _unitSize;
    private readonly TimeProvider _timeProvider;
    private readonly CacheUsage _usage;
    private readonly ILogger _logger;
    private readonly IBlockOperationObserver? _observer;
    private readonly bool _canPunchHoles;

    /// <summary>Reads what <paramref name="options"/>' directory holds; what is not sound is deleted.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public CacheIndex(BlockCacheOptions options, CacheUsage usage, ILogger logger)
    {
        _directory = options.Directory;
        _unitSize = options.UnitSize;
        _timeProvider = options.TimeProvider;
        _observer = options.Observer;
        _usage = usage;
        _logger = logger;
        _canPunchHoles = CacheDirectoryProbe.CanPunchHoles(_directory);
        if (!_canPunchHoles)
        {
            BlockCacheLog.CannotPunchHoles(logger, _directory);
        }

        foreach (CacheEntry entry in CacheDirectoryScanner.Scan(_directory, logger))
        {
            entry.LastUsed = usage.Advance();
            usage.Charge(entry.StoredBytes);
            _entries.Add(entry.Digest, entry);
        }
    }

    /// <summary>Opens a blob, or shares it with those who have it open. Each call is matched by one of <see cref="Close"/>.</summary>
    /// <exception cref="InvalidDataException">The blob is open with another length.</exception>
    public CachedBlob Open(Digest digest, long length, string name)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(digest, out CacheEntry? entry))
            {
                entry = new CacheEntry(digest, Path.Combine(_directory, digest.Algorithm, digest.Hex));
                _entries.Add(digest, entry);
            }

            if (entry.Blob is null)
            {
                CacheFile file = OpenFile(entry, new UnitMapHeader(digest, length, _unitSize), name);
                _usage.Charge(file.HasFiles ? file.StoredBytes() - entry.StoredBytes : 0);
                entry.Blob = new CachedBlob(file, entry.DataPath);
            }
            else if (entry.Blob.File.Length != length)
            {
                throw new InvalidDataException(
                    $"{name}: the blob {digest} is {length} bytes long here, but {entry.Blob.File.Length} bytes where it is open already.");
            }

            entry.OpenCount++;
            return entry.Blob;
        }
    }

    public void Close(Digest digest)
    {
        lock (_gate)
        {
            CacheEntry entry = _entries[digest];
            if (--entry.OpenCount > 0 || entry.Blob is not CachedBlob blob)
            {
                return;
            }

            entry.Blob = null;
            if (blob.File.HasFiles)
            {
                entry.StoredBytes = blob.File.StoredBytes();
                entry.LastUsed = blob.File.LastUsed();
            }

            blob.File.Dispose();
            if (entry.StoredBytes == 0)
            {
                Delete(entry);
            }
            else
            {
                StampRecency(entry);
            }
        }
    }

    /// <summary>Drops what was used longest ago until <paramref name="wanted"/> bytes are given back or nothing is left to drop.</summary>
    /// <returns>The bytes given back.</returns>
    public long Evict(long wanted)
    {
        List<EvictionCandidate> candidates = [];
        lock (_gate)
        {
            foreach (CacheEntry entry in _entries.Values)
            {
                EvictionCandidate.AddAll(candidates, entry, _canPunchHoles);
            }
        }

        candidates.Sort();
        Dictionary<string, (long Bytes, TimeSpan Elapsed)> dropped = [];
        long freed = 0;
        foreach (EvictionCandidate candidate in candidates)
        {
            if (freed >= wanted)
            {
                break;
            }

            long started = _timeProvider.GetTimestamp();
            long bytes = Evict(candidate);
            freed += bytes;
            if (_observer is not null && bytes > 0)
            {
                (long Bytes, TimeSpan Elapsed) sum = dropped.GetValueOrDefault(candidate.Entry.DataPath);
                dropped[candidate.Entry.DataPath] = (sum.Bytes + bytes, sum.Elapsed + _timeProvider.GetElapsedTime(started));
            }
        }

        // One record for each blob: it is dropped in extents, and there are many.
        foreach ((string path, (long bytes, TimeSpan elapsed)) in dropped)
        {
            _observer!.OnCompleted(BlockOperation.Evict, path, 0, bytes, elapsed);
        }

        return freed;
    }

    private long Evict(EvictionCandidate candidate)
    {
        CacheEntry entry = candidate.Entry;
        lock (_gate)
        {
            if (candidate.Extent is int extent)
            {
                return entry.Blob?.File.Evict(extent, candidate.LastUsed) ?? 0;
            }

            if (entry.Blob is not null || entry.StoredBytes == 0)
            {
                return 0;
            }

            long bytes = entry.StoredBytes;
            _usage.Release(bytes);
            Delete(entry);
            return bytes;
        }
    }

    private CacheFile OpenFile(CacheEntry entry, UnitMapHeader header, string name)
    {
        SafeFileHandle? data = null;
        UnitMap? map = null;
        try
        {
            map = UnitMap.TryOpen(entry.MapPath);
            if (map is not null && map.Header != header)
            {
                BlockCacheLog.BlobForgotten(_logger, name, entry.Digest.ToString());
                map.Dispose();
                map = null;
            }

            // Without a map nothing of an old data file can be trusted, and its space is to be given back.
            FileMode mode = map is null ? FileMode.Create : FileMode.OpenOrCreate;
            Directory.CreateDirectory(Path.GetDirectoryName(entry.MapPath)!);
            data = File.OpenHandle(entry.DataPath, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (RandomAccess.GetLength(data) != header.Length)
            {
                RandomAccess.SetLength(data, header.Length);
            }

            map ??= UnitMap.Create(entry.MapPath, header);
            StampRecency(entry);
            return new CacheFile(data, map, map.Load(), _usage, entry.LastUsed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BlockCacheLog.BlobNotCached(_logger, e, name, entry.Digest.ToString());
            map?.Dispose();
            data?.Dispose();
            return new CacheFile(header, _usage);
        }
    }

    // The map's modification time is what tells the next process what was used last.
    private void StampRecency(CacheEntry entry)
    {
        try
        {
            File.SetLastWriteTimeUtc(entry.MapPath, _timeProvider.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            BlockCacheLog.FileOperationFailed(_logger, e, entry.MapPath);
        }
    }

    private void Delete(CacheEntry entry)
    {
        _entries.Remove(entry.Digest);
        entry.StoredBytes = 0;
        CacheDirectoryScanner.Delete(entry.MapPath, _logger);
        CacheDirectoryScanner.Delete(entry.DataPath, _logger);
    }
}
