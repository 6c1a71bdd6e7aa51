// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Reports the bytes of one stage of one layer as progress of the conversion.</summary>
internal sealed class StageProgress(
    IProgress<ConversionProgress> progress, int layer, int layerCount, ConversionStage stage, long total) : IProgress<long>
{
    private long _last = -1;

    /// <summary>Reports how far the stage is, unless that was said last.</summary>
    public void Report(long value)
    {
        if (Interlocked.Exchange(ref _last, value) != value)
        {
            progress.Report(new ConversionProgress(layer, layerCount, stage, value, total));
        }
    }
}
