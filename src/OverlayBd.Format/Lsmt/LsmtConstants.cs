// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>The numbers of the format (overlaybd lsmt/file.cpp, lsmt/index.h).</summary>
internal static class LsmtConstants
{
    /// <summary>The unit of every offset and length in an index, in bytes.</summary>
    public const int SectorSize = 512;

    /// <summary>The space that a header or trailer occupies, in bytes.</summary>
    public const int HeaderSpace = 4096;

    /// <summary>The space of a header, in sectors: the first sector that data can have.</summary>
    public const int HeaderSectors = HeaderSpace / SectorSize;

    /// <summary>The length of the longest mapping, in sectors (14 bits).</summary>
    public const int MaxMappingLength = 16383;

    /// <summary>The logical sector that marks a record as padding.</summary>
    public const long InvalidOffset = (1L << 50) - 1;

    /// <summary>The largest virtual size whose sectors a mapping can address, in bytes.</summary>
    public const long MaxVirtualSize = InvalidOffset * SectorSize;

    /// <summary>Records in the index of a sealed layer, padding included.</summary>
    public const int MaxLayerRecords = 1_000_000;

    /// <summary>Records in a writable or merged index.</summary>
    public const int MaxIndexRecords = 128_000_000;

    /// <summary>Layers in one stack; a mapping's tag is one byte.</summary>
    public const int MaxLayers = 255;

    /// <summary>A commit pads its index to a multiple of this, so that it fills whole 4 KiB pages.</summary>
    public const int CommitRecordsPerPage = 256;

    /// <summary>A commit copies data in pieces of this many sectors; its records are joined pieces.</summary>
    public const int CommitPieceSectors = 64;

    /// <summary>The alignment of the trailer behind the index of a layer that was sealed in place, in bytes.</summary>
    public const int SealAlignment = 512;

    /// <summary>The most that one record of a write covers, in bytes.</summary>
    public const int MaxWriteLength = 4 * 1024 * 1024;
}
