// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>What a padding record of an index file can say to this library; to others it is padding. Stored in the upper half of the
/// record's second word, the value in the lower half.</summary>
internal enum LsmtNote : uint
{
    /// <summary>The CRC-32C of the data of the record that follows ("OBD" 1).</summary>
    Checksum = 0x4F42_4401,

    /// <summary>A flush: the data of that many records, counted from the first of the file, is durable ("OBD" 2).</summary>
    Barrier = 0x4F42_4402,
}
