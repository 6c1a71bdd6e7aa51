// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Registry.Caching;

/// <summary>The stored units of one blob: a sparse data file with the blob's own bytes at their own offsets, and its
/// <see cref="UnitMap"/>.</summary>
/// <remarks>
/// <para>Reading takes no lock. A reader notes how often units were removed, looks the units up, reads, and looks at that number again:
/// a removal makes the units absent, counts, and only then gives their space back, so whoever may have read a hole sees another
/// count and starts over.</para>
/// <para>Changes take <see cref="_writing"/> and keep it across their I/O: writers of one file wait for each other in the kernel anyway,
/// and a unit must not be stored anew while its old space is being given back. Readers never wait for it.</para>
/// <para>A unit that was stored before the file was opened is checked against its checksum once, before its first use.</para>
/// </remarks>
internal sealed class CacheFile : IDisposable
{
    private const int ExtentShift = 6;
    private readonly Lock _writing = new();
    private readonly SafeFileHandle? _data;
    private readonly UnitMap? _map;
    private readonly UnitMapHeader _header;
    private readonly UnitSet _stored;
    private readonly UnitSet _readable;
    private readonly CacheUsage _usage;
    private readonly long[] _lastUsed;
    private readonly int _unitShift;
    private int _removals;

    /// <summary>Takes over the open files of a blob.</summary>
    public CacheFile(SafeFileHandle data, UnitMap map, UnitSet stored, CacheUsage usage, long lastUsed)
        : this(map.Header, stored, usage, lastUsed)
    {
        _data = data;
        _map = map;
    }

    /// <summary>Makes the stand-in for files that could not be opened: nothing is stored, every store fails.</summary>
    public CacheFile(UnitMapHeader header, CacheUsage usage)
        : this(header, new UnitSet(header.UnitCount), usage, lastUsed: 0)
    {
    }

    private CacheFile(UnitMapHeader header, UnitSet stored, CacheUsage usage, long lastUsed)
    {
        _header = header;
        _stored = stored;
        _usage = usage;
        _unitShift = BitOperations.Log2((uint)header.UnitSize);
        _readable = new UnitSet(header.UnitCount);
        _lastUsed = new long[stored.WordCount];
        Array.Fill(_lastUsed, lastUsed);
    }

    public long Length => _header.Length;

    /// <summary>Whether this is more than a stand-in.</summary>
    public bool HasFiles => _data is not null;

    public int UnitSize => _header.UnitSize;

    /// <summary>The number of extents: runs of 64 units, the grain of recency and eviction.</summary>
    public int ExtentCount => _lastUsed.Length;

    public long UnitAt(long offset) => offset >> _unitShift;

    public bool IsReadable(long unit) => _readable.Contains(unit);

    public bool AreReadable(long first, long last) => _readable.ContainsAll(first, last);

    /// <summary>Fills <paramref name="destination"/> when all its units are readable; otherwise its content is undefined.</summary>
    public bool TryRead(long offset, Span<byte> destination)
    {
        long first = UnitAt(offset);
        long last = UnitAt(offset + destination.Length - 1);
        while (true)
        {
            int removals = Volatile.Read(ref _removals);
            if (!_readable.ContainsAll(first, last))
            {
                return false;
            }

            bool complete = TryReadData(offset, destination);
            Interlocked.MemoryBarrier();
            if (removals != Volatile.Read(ref _removals))
            {
                continue;
            }

            if (complete)
            {
                Touch(first, last);
                return true;
            }

            Remove(first, last);
            return false;
        }
    }

    /// <summary>Checks the units of a range that are stored but not yet known to be sound; makes the sound ones readable and drops the
    /// others.</summary>
    /// <returns>How many were dropped.</returns>
    public int Verify(long first, long last)
    {
        int dropped = 0;
        for (long unit = first; unit <= last; unit++)
        {
            if (_stored.Contains(unit) && !_readable.Contains(unit) && !TryVerify(unit))
            {
                dropped++;
            }
        }

        return dropped;
    }

    /// <summary>Stores the units of <paramref name="fetch"/>, unless it was discarded meanwhile.</summary>
    /// <returns>The bytes that more is taken on disk; the caller charges them.</returns>
    /// <exception cref="IOException">The bytes could not be written; nothing is stored then.</exception>
    public long Store(UnitFetch fetch, ReadOnlySpan<byte> data)
    {
        long first = fetch.FirstUnit;
        long last = fetch.LastUnit;
        lock (_writing)
        {
            if (fetch.IsDiscarded)
            {
                return 0;
            }

            if (_data is null || _map is null)
            {
                throw new IOException("The files of the blob could not be opened.");
            }

            try
            {
                RandomAccess.Write(_data, data, fetch.Offset);
                _map.Add(first, data);
            }
            catch (IOException)
            {
                RemoveCore(first, last);
                throw;
            }

            long now = _usage.Advance();
            long before = StoredBytes(first, last);
            _stored.Add(first, last);
            _readable.Add(first, last);
            for (long extent = first >> ExtentShift; extent <= last >> ExtentShift; extent++)
            {
                Volatile.Write(ref _lastUsed[extent], now);
            }

            return StoredBytes(first, last) - before;
        }
    }

    /// <summary>Drops the units of a range; returns how many were stored.</summary>
    public int Remove(long first, long last)
    {
        lock (_writing)
        {
            return RemoveCore(first, last);
        }
    }

    /// <summary>When the units of an extent were last used, in the time of <see cref="CacheUsage"/>.</summary>
    public long LastUsed(int extent) => Volatile.Read(ref _lastUsed[extent]);

    /// <summary>When any unit was last used.</summary>
    public long LastUsed() => _lastUsed.Length == 0 ? 0 : _lastUsed.Max();

    public bool IsStoredInExtent(int extent) => _stored.CountInWord(extent) > 0;

    /// <summary>Drops an extent unless it was used after <paramref name="lastUsed"/>; returns the bytes given back.</summary>
    public long Evict(int extent, long lastUsed)
    {
        lock (_writing)
        {
            if (LastUsed(extent) > lastUsed)
            {
                return 0;
            }

            long first = (long)extent << ExtentShift;
            long last = Math.Min(first + (1 << ExtentShift), _header.UnitCount) - 1;
            long bytes = StoredBytes(first, last);
            RemoveCore(first, last);
            return bytes;
        }
    }

    /// <summary>The bytes that all stored units take on disk.</summary>
    public long StoredBytes() => _header.UnitCount == 0 ? 0 : StoredBytes(0, _header.UnitCount - 1);

    public void Dispose()
    {
        _map?.Dispose();
        _data?.Dispose();
    }

    private long StoredBytes(long first, long last)
    {
        long bytes = 0;
        for (long unit = first; unit <= last; unit++)
        {
            if ((unit & 63) == 0 && _stored.CountInWord((int)(unit >> ExtentShift)) == 0)
            {
                unit |= 63;
            }
            else if (_stored.Contains(unit))
            {
                bytes += _header.StoredLength(unit);
            }
        }

        return bytes;
    }

    private int RemoveCore(long first, long last)
    {
        long bytes = StoredBytes(first, last);
        int removed = _stored.Remove(first, last);
        _readable.Remove(first, last);
        Interlocked.Increment(ref _removals);
        _map?.Remove(first, last);
        if (_data is not null)
        {
            long start = first << _unitShift;
            Interop.TryPunchHole(_data, start, ((last + 1) << _unitShift) - start);
        }

        _usage.Release(bytes);
        return removed;
    }

    private bool TryVerify(long unit)
    {
        long offset = unit << _unitShift;
        int length = (int)Math.Min(UnitSize, Length - offset);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int removals = Volatile.Read(ref _removals);
            bool sound = TryReadData(offset, buffer.AsSpan(0, length))
                && _map is not null
                && _map.TryRead(unit, out uint checksum)
                && checksum == UnitChecksum.Compute(buffer.AsSpan(0, length));
            lock (_writing)
            {
                if (removals != _removals)
                {
                    // Removed, perhaps stored anew, while it was read: whoever asks looks again.
                    return true;
                }

                if (sound)
                {
                    _readable.Add(unit, unit);
                    return true;
                }

                RemoveCore(unit, unit);
                return false;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Only called for units that are stored, hence with files.
    private bool TryReadData(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(_data!, destination, offset);
                if (read == 0)
                {
                    return false;
                }

                destination = destination[read..];
                offset += read;
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Touch(long first, long last)
    {
        long now = _usage.Now;
        for (long extent = first >> ExtentShift; extent <= last >> ExtentShift; extent++)
        {
            if (Volatile.Read(ref _lastUsed[extent]) != now)
            {
                Volatile.Write(ref _lastUsed[extent], now);
            }
        }
    }
}
