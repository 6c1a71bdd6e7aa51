// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>Reads and checks the index of a sealed layer (overlaybd lsmt/file.cpp, load_mapping_index).</summary>
internal static class LsmtIndexReader
{
    private const int ChunkRecords = 16 * 1024;

    /// <summary>Reads the records that the trailer points to.</summary>
    /// <param name="source">The layer's bytes.</param>
    /// <param name="name">The layer's name, for messages.</param>
    /// <param name="trailer">The trailer; where it says the index is has been checked.</param>
    /// <param name="mayBeWarp">Whether the header is that of a committed layer, which a turboOCI layer shares.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <exception cref="InvalidDataException">The records are not in order, or point outside of the data.</exception>
    public static async ValueTask<LsmtIndex> ReadAsync(
        BlockSource source, string name, LsmtHeader trailer, bool mayBeWarp, CancellationToken cancellationToken)
    {
        int total = (int)trailer.IndexSize;
        long indexOffset = (long)trailer.IndexOffset;
        LsmtMapping[] mappings = new LsmtMapping[total];
        byte[] chunk = ArrayPool<byte>.Shared.Rent(Math.Min(total, ChunkRecords) * LsmtMapping.Size);
        try
        {
            for (int at = 0; at < total; at += ChunkRecords)
            {
                int length = Math.Min(total - at, ChunkRecords) * LsmtMapping.Size;
                Memory<byte> bytes = chunk.AsMemory(0, length);
                await source.ReadAsync(indexOffset + ((long)at * LsmtMapping.Size), bytes, cancellationToken).ConfigureAwait(false);
                MemoryMarshal.Cast<byte, LsmtMapping>(bytes.Span).CopyTo(mappings.AsSpan(at));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }

        if (mayBeWarp && IsWarp(mappings, trailer, source.Length))
        {
            LsmtThrowHelper.ThrowWarp(name);
        }

        int count = Check(mappings, name, indexOffset);
        Array.Resize(ref mappings, count);
        return new LsmtIndex(mappings);
    }

    /// <summary>Checks the records in place: drops padding and tags, keeps the rest.</summary>
    private static int Check(Span<LsmtMapping> mappings, string name, long indexOffset)
    {
        long dataEnd = indexOffset / LsmtConstants.SectorSize;
        int count = 0;
        for (int i = 0; i < mappings.Length; i++)
        {
            LsmtMapping mapping = mappings[i];
            if (mapping.IsInvalid)
            {
                continue;
            }

            long position = indexOffset + ((long)i * LsmtMapping.Size);
            if (count > 0 && mapping.Offset < mappings[count - 1].End)
            {
                LsmtThrowHelper.ThrowRecordOrder(name, position, mappings[count - 1], mapping);
            }

            if (mapping.MappedOffset < LsmtConstants.HeaderSectors || mapping.MappedEnd > dataEnd)
            {
                LsmtThrowHelper.ThrowRecordRange(name, position, dataEnd, mapping);
            }

            // No writer makes an empty mapping, but readers have always accepted one.
            if (mapping.Length > 0)
            {
                mappings[count++] = mapping.WithTag(0);
            }
        }

        return count;
    }

    /// <summary>A turboOCI layer says nowhere that it is one. Its records with tag 1 are sectors of another file, so they do not
    /// continue one another in this one as the records of a commit or a merge do; its index is followed by the trailer at once.</summary>
    private static bool IsWarp(ReadOnlySpan<LsmtMapping> mappings, LsmtHeader trailer, long fileLength)
    {
        const byte RemoteData = 1;
        bool hasRemote = false;
        bool isOneRun = true;
        long end = LsmtConstants.HeaderSectors;
        foreach (LsmtMapping mapping in mappings)
        {
            if (mapping.Tag > RemoteData)
            {
                return false;
            }

            if (!mapping.IsInvalid && !mapping.IsZeroed)
            {
                hasRemote |= mapping.Tag == RemoteData;
                isOneRun &= mapping.MappedOffset == end;
                end = mapping.MappedEnd;
            }
        }

        bool isUnpadded = mappings.Length % LsmtConstants.CommitRecordsPerPage != 0 &&
            (long)trailer.IndexOffset + ((long)mappings.Length * LsmtMapping.Size) == fileLength - LsmtConstants.HeaderSpace;
        return hasRemote && (isUnpadded || !isOneRun);
    }
}
