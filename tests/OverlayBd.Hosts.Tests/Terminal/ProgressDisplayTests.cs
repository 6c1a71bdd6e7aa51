// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;

namespace OverlayBd.Hosts.Tests.Terminal;

public sealed class ProgressDisplayTests
{
    [Fact]
    public void Report_WithoutATerminal_WritesOneLineForEachFinishedTask()
    {
        using StringWriter output = new();
        using (ProgressDisplay display = ProgressDisplay.On(output, draws: false, TimeProvider.System))
        {
            display.Report("layer 1", 10, 100, "fetching");
            display.Finish("layer 1", "done");
        }

        Assert.Equal("layer 1: done\n", output.ToString());
    }

    [Fact]
    public void Report_OnATerminal_DrawsABarForEachTask()
    {
        using StringWriter output = new();
        using (ProgressDisplay display = ProgressDisplay.On(output, draws: true, TimeProvider.System))
        {
            display.Report("layer 1", 50, 100, "fetching");
            display.Finish("layer 2", "done");
        }

        Assert.Contains("50% fetching", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("layer 2", output.ToString(), StringComparison.Ordinal);
    }
}
