// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A sparse upper on a lower that maps everything keeps the contract, too.</summary>
public sealed class StackedSparseUpperConformanceTests : SparseUpperConformanceTests
{
    private protected override async ValueTask<LsmtImage?> LowerAsync() => await ZerosAsync();
}
