// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.ZFile;

/// <summary>Blocks that lie side by side and are fetched by one read of the source below.</summary>
/// <param name="First">The first block's number.</param>
/// <param name="End">The number of the block after the last.</param>
/// <param name="StoredOffset">The first stored byte, in bytes from the start of the ZFile.</param>
/// <param name="StoredLength">The number of stored bytes.</param>
internal readonly record struct ZFileWindow(int First, int End, long StoredOffset, int StoredLength);
