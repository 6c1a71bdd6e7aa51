// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Hosts.Tests.Serving;

public sealed class BackstoreOptionTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2, "--cache-size", "1")]
    [InlineData(2, "--cache-dir", "/proc/version")]
    [InlineData(2, "--run-dir", "/proc/version")]
    [InlineData(2, "--nonsense")]
    public async Task CheckConfig_TellsByItsStatus_AndNamesTheOption(int status, params string[] arguments)
    {
        using Process process = CommandLineFixture.StartProgram(
            Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"), ["--check-config", .. arguments]);
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(process);
        Assert.Equal(status, outcome.Status);
        if (status != 0)
        {
            Assert.Contains(arguments[0], outcome.Output + outcome.Error, StringComparison.Ordinal);
        }
    }
}
