// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Reports the bytes of one stage of one layer as progress of the conversion.</summary>
internal sealed class StageProgress(
    IProgress<ConversionProgress> progress, int layer, int layerCount, ConversionStage stage, long total) : IProgress<long>
{
    public void Report(long value) => progress.Report(new ConversionProgress(layer, layerCount, stage, value, total));
}
