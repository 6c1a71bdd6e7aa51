// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Hosts.Tests.Commands;

public sealed class UsageTests : IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Theory]
    [InlineData]
    [InlineData("nonsense")]
    [InlineData("mount")]
    [InlineData("inspect", "--nonsense", "x")]
    [InlineData("run", "image", "--mount", "nonsense=1")]
    [InlineData("export", "image", "file", "--format", "zip")]
    [InlineData("inspect", "docker://UPPER/case//")]
    public async Task WrongUsage_EndsWithTwo_AndAnswersNothing(params string[] arguments)
    {
        ProgramOutcome outcome = await _fixture.RunAsync(arguments);
        Assert.Equal(2, outcome.Status);
        Assert.StartsWith("overlaybd: ", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_ListsTheVerbs()
    {
        string help = await _fixture.AnswerAsync("--help");
        foreach (string verb in (string[])
            ["convert", "mount", "umount", "attach", "detach", "list", "run", "inspect", "export", "verify", "stats", "doctor", "pull", "rpull",
                "obdconv", "record-trace"])
        {
            Assert.Contains("  " + verb, help, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Failure_EndsWithOne_AndSaysWhatWhereAndWhy()
    {
        ProgramOutcome outcome = await _fixture.RunAsync("inspect", "oci:/nonexistent:tag");
        Assert.Equal(1, outcome.Status);
        Assert.Empty(outcome.Output);
        Assert.Contains("overlaybd inspect: ", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("/nonexistent", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_FindsTheDevices()
    {
        string report = await _fixture.AnswerAsync("doctor");
        Assert.Contains("/dev/fuse", report, StringComparison.Ordinal);
        Assert.Contains("overlaybd-backstore", report, StringComparison.Ordinal);
    }

    public void Dispose() => _fixture.Dispose();
}
