// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>Blocks of a file that lie one after the other on the disk.</summary>
/// <param name="Logical">The first block, counted in the file.</param>
/// <param name="Physical">The first block, counted on the disk.</param>
/// <param name="Count">The number of blocks.</param>
/// <param name="IsWritten">Whether the blocks hold data; otherwise they read as zeros.</param>
internal readonly record struct FileExtent(uint Logical, ulong Physical, uint Count, bool IsWritten = true);
