// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>A pair on two lower layers (noise, then a discard of all of it) keeps the contract, too.</summary>
public sealed class LsmtStackedWritableImageConformanceTests : LsmtWritableImageConformanceTests
{
    private protected override async ValueTask<LsmtImage?> LowerAsync() => await NoisyLowerAsync();
}
