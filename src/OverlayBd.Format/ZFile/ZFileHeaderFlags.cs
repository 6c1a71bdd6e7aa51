// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.ZFile;

/// <summary>The flag bits of a ZFile header or trailer.</summary>
/// <remarks>Only the low bits mean anything: old artefacts carry garbage in the upper half, so bits are tested one by one, never the
/// whole.</remarks>
[Flags]
internal enum ZFileHeaderFlags : ulong
{
    /// <summary>Nothing is set.</summary>
    None = 0,

    /// <summary>Set in the header, clear in the trailer.</summary>
    Header = 1 << 0,

    /// <summary>The file holds data, as opposed to an index.</summary>
    DataFile = 1 << 1,

    /// <summary>Set in the trailer.</summary>
    Sealed = 1 << 2,

    /// <summary>The header was written again at the end and says all that the trailer says.</summary>
    HeaderOverwritten = 1 << 3,

    /// <summary>The digest of the header and the checksum of the jump table are meaningful.</summary>
    Digest = 1 << 4,
}
