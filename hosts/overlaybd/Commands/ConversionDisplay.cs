// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;
using OverlayBd.Conversion;

namespace OverlayBd.Cli.Commands;

/// <summary>Shows a line for each layer: what is being done to it, and how far that is.</summary>
internal sealed class ConversionDisplay(ProgressDisplay display) : IProgress<ConversionProgress>
{
    public void Report(ConversionProgress value)
    {
        string layer = $"layer {value.Layer + 1} of {value.LayerCount}";
        if (value.Stage == ConversionStage.Upload && value.Done == value.Total)
        {
            display.Finish(layer, $"converted, {ByteText.Format(value.Total)}");
            return;
        }

        display.Report(layer, value.Done, value.Total, value.Stage switch
        {
            ConversionStage.Fetch => "fetching",
            ConversionStage.Build => "converting",
            _ => "uploading",
        });
    }
}
