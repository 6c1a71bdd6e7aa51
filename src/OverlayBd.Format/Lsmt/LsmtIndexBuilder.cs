// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>Makes the index of a committed layer from that of its source: data moves to consecutive sectors, in pieces, and
/// neighbours are joined (overlaybd lsmt/file.cpp, compact; lsmt/index.cpp, compress_raw_index).</summary>
internal sealed class LsmtIndexBuilder
{
    private readonly List<LsmtMapping> _mappings = [];
    private LsmtMapping _last;
    private bool _hasLast;

    /// <summary>Gets the sector of the output behind the data so far.</summary>
    public long DataEnd { get; private set; } = LsmtConstants.HeaderSectors;

    /// <summary>Adds the source's next mapping.</summary>
    public void Add(LsmtMapping mapping)
    {
        if (mapping.IsZeroed)
        {
            Append(mapping.WithMappedOffset(DataEnd));
            return;
        }

        for (long at = mapping.Offset; at < mapping.End; at += LsmtConstants.CommitPieceSectors)
        {
            long end = Math.Min(at + LsmtConstants.CommitPieceSectors, mapping.End);
            Append(mapping.Slice(at, end).WithMappedOffset(DataEnd));
            DataEnd += end - at;
        }
    }

    /// <summary>Returns the records, padded to whole pages.</summary>
    /// <exception cref="InvalidOperationException">There are more than a reader accepts.</exception>
    public LsmtMapping[] Build()
    {
        if (_hasLast)
        {
            _mappings.Add(_last);
            _hasLast = false;
        }

        const int Page = LsmtConstants.CommitRecordsPerPage;
        int count = (_mappings.Count + Page - 1) / Page * Page;
        if (count > LsmtConstants.MaxLayerRecords)
        {
            LsmtThrowHelper.ThrowCommitTooLarge(count);
        }

        LsmtMapping[] records = new LsmtMapping[count];
        CollectionsMarshal.AsSpan(_mappings).CopyTo(records);
        records.AsSpan(_mappings.Count).Fill(LsmtMapping.Invalid);
        return records;
    }

    private void Append(LsmtMapping mapping)
    {
        // The sum stays below the longest length: the original compares with <, and byte-identical output needs the same.
        if (_hasLast && _last.IsContinuedBy(mapping) && _last.Length + mapping.Length < LsmtConstants.MaxMappingLength)
        {
            _last = new LsmtMapping(_last.Offset, _last.Length + mapping.Length, _last.MappedOffset, _last.IsZeroed, _last.Tag);
            return;
        }

        if (_hasLast)
        {
            _mappings.Add(_last);
        }

        _last = mapping;
        _hasLast = true;
    }
}
