// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>The writable layer of a stack: its two files, and the index of what is in them.</summary>
/// <remarks>Writes, discards and flushes may run beside one another; sealing and growing run alone.</remarks>
internal abstract class LsmtUpper : IDisposable
{
    private string? _flushFailure;

    protected LsmtUpper(LsmtDataFile data, LsmtWritableIndex index, LsmtHeader header, byte tag)
    {
        Data = data;
        Index = index;
        Header = header;
        Tag = tag;
    }

    /// <summary>Gets the data file.</summary>
    public LsmtDataFile Data { get; }

    /// <summary>Gets the path of the index file.</summary>
    public abstract string IndexPath { get; }

    /// <summary>Gets the data file's header, with the size and identity that hold.</summary>
    public LsmtHeader Header { get; private set; }

    /// <summary>Gets how many bytes of the data file a commit would leave behind.</summary>
    public abstract long GarbageBytes { get; }

    /// <summary>Gets whether written data stays as it is, so that a commit can read it while writes go on.</summary>
    public abstract bool IsAppendOnly { get; }

    /// <summary>Gets the number of layers below, which is written to records as their tag.</summary>
    protected byte Tag { get; private set; }

    /// <summary>Gets the lock of the index and of the order of reservations; never held across I/O.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>Gets the index; used under <see cref="Gate"/>.</summary>
    protected LsmtWritableIndex Index { get; }

    /// <summary>Gets the number of mappings, and of bytes that they refer to.</summary>
    public (int Mappings, long DataBytes) Count()
    {
        lock (Gate)
        {
            return (Index.Count, Index.StoredSectors * LsmtConstants.SectorSize);
        }
    }

    /// <summary>Copies the index.</summary>
    public LsmtMapping[] SnapshotIndex()
    {
        lock (Gate)
        {
            return Index.ToArray();
        }
    }

    /// <summary>Finds the segment at <paramref name="offset"/>, see <see cref="ILsmtSegments"/>.</summary>
    public LsmtSegment Find(long offset, long end) => LsmtSegment.FromRun(
        FindRun(offset / LsmtConstants.SectorSize, (end + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize), Data, offset, end);

    /// <summary>Stores bytes, unless what is below has to be copied up first.</summary>
    /// <returns><see langword="false"/> when nothing was stored and <see cref="LsmtSparseUpper.CopyUpAsync"/> has to come first.</returns>
    public abstract bool TryWrite(long offset, ReadOnlySpan<byte> bytes, LsmtImage? lower, CancellationToken cancellationToken);

    /// <summary>Makes a range read as zeros.</summary>
    public abstract void Discard(long offset, long length, LsmtImage? lower, CancellationToken cancellationToken);

    /// <summary>Makes everything that was acknowledged durable.</summary>
    /// <exception cref="IOException">That failed, now or earlier: the kernel reports lost pages only once.</exception>
    public void Flush()
    {
        if (Volatile.Read(ref _flushFailure) is string failure)
        {
            throw new IOException($"'{Data.Path}' failed to become durable before, and what was written may be lost: {failure}");
        }

        try
        {
            FlushCore();
        }
        catch (IOException e)
        {
            Volatile.Write(ref _flushFailure, e.Message);
            throw;
        }
    }

    /// <summary>Appends index and trailer to the data file, durably.</summary>
    /// <returns>The layer that the data file now is. The upper still owns the file, and can be unsealed.</returns>
    /// <exception cref="InvalidOperationException">There are more than 1 000 000 mappings.</exception>
    /// <exception cref="IOException">The file could not be written; it is as it was.</exception>
    public LsmtLayer Seal()
    {
        LsmtMapping[] mappings = SnapshotIndex();
        if (mappings.Length > LsmtConstants.MaxLayerRecords)
        {
            LsmtThrowHelper.ThrowCommitTooLarge(mappings.Length);
        }

        Flush();
        long position = Data.Length;
        LsmtHeader trailer = Header with
        {
            Flags = (Header.Flags & LsmtHeaderFlags.SparseData) | LsmtHeaderFlags.DataFile | LsmtHeaderFlags.Sealed,
            IndexOffset = (ulong)position,
            IndexSize = (ulong)mappings.Length,
        };
        byte[] tail = FormatTail(mappings, trailer);
        try
        {
            Data.Write(Data.Reserve(tail.Length), tail);
            Data.Flush();
        }
        catch
        {
            Data.SetEnd(position);
            throw;
        }

        return LsmtLayer.FromSealed(Data, Data.Path, trailer, new LsmtIndex(mappings));
    }

    /// <summary>Takes index and trailer off again.</summary>
    public void Unseal(LsmtLayer layer) => Data.SetEnd(layer.IndexOffset);

    /// <summary>Makes the upper longer, durably.</summary>
    public void Resize(long length)
    {
        LsmtHeader header = Header with { VirtualSize = (ulong)length };
        WriteHeaders(header);
        Header = header;
    }

    /// <summary>Makes an empty upper the top of a stack.</summary>
    public void JoinStack(long length, string parentUuid, int layersBelow)
    {
        LsmtHeader header = Header with
        {
            VirtualSize = (ulong)length,
            ParentUuid = Header.ParentUuid == LsmtUuid.Null ? parentUuid : Header.ParentUuid,
        };
        if (header != Header)
        {
            WriteHeaders(header);
            Header = header;
        }

        Tag = (byte)layersBelow;
    }

    /// <summary>Marks the index file of a sealed upper, so that nobody writes to the layer through it, and lets go of it.</summary>
    public abstract void Retire();

    /// <inheritdoc/>
    public abstract void Dispose();

    protected abstract void FlushCore();

    /// <summary>Stores the headers of both files, durably.</summary>
    protected abstract void WriteHeaders(LsmtHeader header);

    protected LsmtRun FindRun(long sector, long end)
    {
        lock (Gate)
        {
            return Index.FindRun(sector, end);
        }
    }

    /// <summary>Refuses to outgrow what can be opened again.</summary>
    /// <param name="records">The number of records or mappings there would be at most.</param>
    protected void CheckRoom(long records)
    {
        if (records > LsmtConstants.MaxIndexRecords)
        {
            LsmtThrowHelper.ThrowIndexFull(IndexPath);
        }
    }

    /// <summary>Makes index and trailer. What pads the index is zero.</summary>
    private byte[] FormatTail(ReadOnlySpan<LsmtMapping> mappings, LsmtHeader trailer)
    {
        int index = (mappings.Length * LsmtMapping.Size) + LsmtConstants.SealAlignment - 1;
        byte[] tail = new byte[(index / LsmtConstants.SealAlignment * LsmtConstants.SealAlignment) + LsmtConstants.HeaderSpace];
        Span<LsmtMapping> records = MemoryMarshal.Cast<byte, LsmtMapping>(tail.AsSpan());
        for (int i = 0; i < mappings.Length; i++)
        {
            records[i] = mappings[i].WithTag(Tag);
        }

        trailer.WriteTo(tail.AsSpan(tail.Length - LsmtConstants.HeaderSpace));
        return tail;
    }
}
