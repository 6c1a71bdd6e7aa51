// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion;

/// <summary>How far one stage of one layer has come.</summary>
/// <param name="Layer">The layer's position, from 0 at the bottom.</param>
/// <param name="LayerCount">The number of layers of the image.</param>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">The bytes done so far.</param>
/// <param name="Total">The bytes there are; both are of the original layer but for <see cref="ConversionStage.Upload"/>.</param>
public readonly record struct ConversionProgress(int Layer, int LayerCount, ConversionStage Stage, long Done, long Total);
