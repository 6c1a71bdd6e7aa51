// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>Mappings that continue one another, joined: a run of sectors that one read of one file can fill.</summary>
/// <param name="Offset">The first logical sector.</param>
/// <param name="Length">The number of sectors; 0 when there is no run.</param>
/// <param name="MappedOffset">The sector of the file at which the data starts.</param>
/// <param name="IsZeroed">Whether the sectors read as zeros.</param>
/// <param name="Tag">The number of the file within the stack, 0 for the topmost.</param>
internal readonly record struct LsmtRun(long Offset, long Length, long MappedOffset, bool IsZeroed, byte Tag)
{
    /// <summary>Gets the logical sector behind the last one.</summary>
    public long End => Offset + Length;

    /// <summary>Makes a run of the part of <paramref name="mapping"/> from <paramref name="sector"/> on.</summary>
    public static LsmtRun Start(LsmtMapping mapping, long sector)
    {
        long start = Math.Max(mapping.Offset, sector);
        long skipped = mapping.IsZeroed ? 0 : start - mapping.Offset;
        return new LsmtRun(start, mapping.End - start, mapping.MappedOffset + skipped, mapping.IsZeroed, mapping.Tag);
    }

    /// <summary>Appends <paramref name="mapping"/> if it continues the run.</summary>
    public bool TryExtend(LsmtMapping mapping, ref LsmtRun run)
    {
        bool continues = mapping.Offset == End && mapping.Tag == Tag && mapping.IsZeroed == IsZeroed &&
            (IsZeroed || mapping.MappedOffset == MappedOffset + Length);
        if (continues)
        {
            run = this with { Length = Length + mapping.Length };
        }

        return continues;
    }
}
