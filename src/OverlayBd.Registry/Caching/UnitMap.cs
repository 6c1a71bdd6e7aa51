// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Registry.Caching;

/// <summary>The file beside a cached blob that records which units are stored, with a checksum each.</summary>
/// <remarks>An entry is written after the unit's data, so a process that dies leaves at worst stored units that nobody knows of. After a
/// power
/// loss an entry may be on disk without its data: the checksum tells.</remarks>
internal sealed class UnitMap : IDisposable
{
    private const int EntriesAtOnce = 8192;
    private readonly SafeFileHandle _file;

    private UnitMap(SafeFileHandle file, UnitMapHeader header)
    {
        _file = file;
        Header = header;
    }

    public UnitMapHeader Header { get; }

    /// <summary>Makes an empty map, replacing any file at <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static UnitMap Create(string path, UnitMapHeader header)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Span<byte> bytes = stackalloc byte[UnitMapHeader.Size];
            header.WriteTo(bytes);
            RandomAccess.SetLength(file, UnitMapHeader.Size + header.UnitCount * UnitMapEntry.Size);
            RandomAccess.Write(file, bytes, 0);
            return new UnitMap(file, header);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens an existing map; null when there is none or its header is not sound.</summary>
    public static UnitMap? TryOpen(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> bytes = stackalloc byte[UnitMapHeader.Size];
            if (ReadUpTo(file, bytes, 0) == UnitMapHeader.Size && UnitMapHeader.TryParse(bytes, out UnitMapHeader header))
            {
                var map = new UnitMap(file, header);
                file = null;
                return map;
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>Reads all entries: the units they say are stored.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public UnitSet Load()
    {
        var stored = new UnitSet(Header.UnitCount);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(EntriesAtOnce * UnitMapEntry.Size);
        try
        {
            for (long unit = 0; unit < Header.UnitCount;)
            {
                int wanted = (int)Math.Min(EntriesAtOnce, Header.UnitCount - unit);
                int read = ReadUpTo(_file, bytes.AsSpan(0, wanted * UnitMapEntry.Size), EntryOffset(unit)) / UnitMapEntry.Size;
                for (int i = 0; i < read; i++, unit++)
                {
                    if (UnitMapEntry.TryRead(bytes.AsSpan(i * UnitMapEntry.Size, UnitMapEntry.Size), unit, out _))
                    {
                        stored.Add(unit, unit);
                    }
                }

                if (read < wanted)
                {
                    break;
                }
            }

            return stored;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Reads the checksum of a unit; false when the unit is not stored or the file cannot be read.</summary>
    public bool TryRead(long unit, out uint checksum)
    {
        checksum = 0;
        Span<byte> bytes = stackalloc byte[UnitMapEntry.Size];
        try
        {
            return ReadUpTo(_file, bytes, EntryOffset(unit)) == UnitMapEntry.Size && UnitMapEntry.TryRead(bytes, unit, out checksum);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Records that whole units of <paramref name="data"/>, from <paramref name="first"/> on, are stored.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Add(long first, ReadOnlySpan<byte> data)
    {
        int count = (data.Length + Header.UnitSize - 1) / Header.UnitSize;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(count * UnitMapEntry.Size);
        try
        {
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> unit = data.Slice(i * Header.UnitSize, Math.Min(Header.UnitSize, data.Length - i * Header.UnitSize));
                UnitMapEntry.Write(bytes.AsSpan(i * UnitMapEntry.Size), first + i, UnitChecksum.Compute(unit));
            }

            RandomAccess.Write(_file, bytes.AsSpan(0, count * UnitMapEntry.Size), EntryOffset(first));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Records that the units from <paramref name="first"/> to <paramref name="last"/> (included) are not stored.</summary>
    /// <remarks>A failure is not told: the entries then name units whose data is gone, which their checksums tell.</remarks>
    public void Remove(long first, long last)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[64 * UnitMapEntry.Size];
        try
        {
            for (long unit = first; unit <= last; unit += 64)
            {
                int count = (int)Math.Min(64, last - unit + 1);
                RandomAccess.Write(_file, zeros[..(count * UnitMapEntry.Size)], EntryOffset(unit));
            }
        }
        catch (IOException)
        {
        }
    }

    public void Dispose() => _file.Dispose();

    private static long EntryOffset(long unit) => UnitMapHeader.Size + unit * UnitMapEntry.Size;

    private static int ReadUpTo(SafeFileHandle file, Span<byte> destination, long offset)
    {
        int total = 0;
        while (total < destination.Length)
        {
            int read = RandomAccess.Read(file, destination[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }
}
