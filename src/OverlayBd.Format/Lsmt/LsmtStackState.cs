// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>What a writable image is made of at one moment; a snapshot replaces it as a whole.</summary>
/// <param name="Upper">Where writes go.</param>
/// <param name="Lower">What shows where the upper has nothing.</param>
internal sealed record LsmtStackState(LsmtUpper Upper, LsmtImage? Lower);
