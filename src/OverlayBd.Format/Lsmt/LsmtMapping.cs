// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>One index record as it is stored: a run of logical sectors and where their bytes are. 16 bytes, little-endian
/// (overlaybd lsmt/index.h, SegmentMapping).</summary>
/// <remarks>First word: logical sector (50 bits), length in sectors (14). Second word: sector in the layer's file (55),
/// zeroed (1), tag (8). All members are in sectors.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = Size)]
internal readonly struct LsmtMapping : IEquatable<LsmtMapping>
{
    /// <summary>The stored size, in bytes.</summary>
    public const int Size = 16;

    private const int OffsetBits = 50;
    private const int MappedOffsetBits = 55;
    private const int TagShift = 56;
    private const int NoteShift = 32;
    private const ulong OffsetMask = (1UL << OffsetBits) - 1;
    private const ulong MappedOffsetMask = (1UL << MappedOffsetBits) - 1;
    private const ulong ZeroedBit = 1UL << MappedOffsetBits;

    private readonly ulong _logical;
    private readonly ulong _mapped;

    /// <summary>Makes a mapping of values that have been checked.</summary>
    public LsmtMapping(long offset, int length, long mappedOffset, bool isZeroed = false, byte tag = 0)
    {
        _logical = (ulong)offset | ((ulong)length << OffsetBits);
        _mapped = (ulong)mappedOffset | (isZeroed ? ZeroedBit : 0) | ((ulong)tag << TagShift);
    }

    private LsmtMapping(ulong logical, ulong mapped)
    {
        _logical = logical;
        _mapped = mapped;
    }

    /// <summary>Gets the record that pads an index.</summary>
    public static LsmtMapping Invalid { get; } = new(OffsetMask, 0);

    /// <summary>Makes padding, which every reader skips, that says something to this library.</summary>
    public static LsmtMapping CreateNote(LsmtNote note, uint value) => new(OffsetMask, ((ulong)note << NoteShift) | value);

    /// <summary>Gets the first logical sector.</summary>
    public long Offset => (long)(_logical & OffsetMask);

    /// <summary>Gets the number of sectors, 0 to 16383.</summary>
    public int Length => (int)(_logical >> OffsetBits);

    /// <summary>Gets the logical sector behind the last one.</summary>
    public long End => Offset + Length;

    /// <summary>Gets the sector of the file at which the data starts (moffset), header included.</summary>
    public long MappedOffset => (long)(_mapped & MappedOffsetMask);

    /// <summary>Gets the sector of the file behind the data; a zeroed run has none.</summary>
    public long MappedEnd => IsZeroed ? MappedOffset : MappedOffset + Length;

    /// <summary>Gets whether the sectors read as zeros, hiding what lower layers have there.</summary>
    public bool IsZeroed => (_mapped & ZeroedBit) != 0;

    /// <summary>Gets the number of the file within a stack, 0 for the topmost.</summary>
    public byte Tag => (byte)(_mapped >> TagShift);

    /// <summary>Gets whether the record is padding.</summary>
    public bool IsInvalid => (_logical & OffsetMask) == OffsetMask;

    /// <summary>Gets whether the record is all zeros: reserved, but never written.</summary>
    public bool IsGap => (_logical | _mapped) == 0;

    /// <summary>Returns whether the record is padding with a note of the given kind.</summary>
    public bool TryGetNote(LsmtNote note, out uint value)
    {
        value = (uint)_mapped;
        return IsInvalid && _mapped >> NoteShift == (ulong)note;
    }

    /// <summary>Returns the same mapping into another file of a stack.</summary>
    public LsmtMapping WithTag(byte tag) => new(_logical, (_mapped & ~(0xFFUL << TagShift)) | ((ulong)tag << TagShift));

    /// <summary>Returns the same mapping to another place of the file.</summary>
    public LsmtMapping WithMappedOffset(long mappedOffset) => new(_logical, (_mapped & ~MappedOffsetMask) | (ulong)mappedOffset);

    /// <summary>Returns the part from logical sector <paramref name="start"/> to <paramref name="end"/>, both within the mapping.</summary>
    public LsmtMapping Slice(long start, long end) =>
        new(start, (int)(end - start), IsZeroed ? MappedOffset : MappedOffset + (start - Offset), IsZeroed, Tag);

    /// <summary>Returns whether <paramref name="next"/> continues this mapping both logically and in the file.</summary>
    public bool IsContinuedBy(LsmtMapping next) =>
        next.Offset == End && next.MappedOffset == MappedEnd && (_mapped ^ next._mapped) >> MappedOffsetBits == 0;

    /// <inheritdoc/>
    public bool Equals(LsmtMapping other) => _logical == other._logical && _mapped == other._mapped;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LsmtMapping other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_logical, _mapped);

    /// <inheritdoc/>
    public override string ToString() => IsInvalid
        ? "padding"
        : $"sectors {Offset}+{Length} {(IsZeroed ? "zeroed" : "stored")} at sector {MappedOffset} (tag {Tag})";
}
