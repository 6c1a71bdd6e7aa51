// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.ZFile;

/// <summary>Where one block of a ZFile is, uncompressed and stored.</summary>
/// <param name="Index">The block's number, from 0.</param>
/// <param name="Offset">Its first uncompressed byte, in bytes.</param>
/// <param name="Length">Its uncompressed length, in bytes.</param>
/// <param name="StoredOffset">Its first stored byte, in bytes from the start of the ZFile.</param>
/// <param name="StoredLength">Its stored length, in bytes, with its checksum.</param>
public readonly record struct ZFileBlock(int Index, long Offset, int Length, long StoredOffset, int StoredLength);
