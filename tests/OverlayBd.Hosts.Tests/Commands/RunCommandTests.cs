// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Commands;

public sealed class RunCommandTests(TestImage image) : IClassFixture<TestImage>, IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Fact]
    public async Task Run_WithoutCommand_RunsTheImages()
    {
        Assert.Equal("hello from the image", await _fixture.AnswerAsync("run", image.Name));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Run_ExitStatus_IsTheProcesss()
    {
        ProgramOutcome outcome = await _fixture.RunAsync("run", image.Name, "--", "/bin/sh", "-c", "exit 37");
        Assert.Equal(37, outcome.Status);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Run_UserEnvironmentAndDirectory_AreTheImagesUnlessSaidOtherwise()
    {
        string answer = await _fixture.AnswerAsync(
            "run", "--env", "REPLACED=here", image.Name, "--", "/bin/sh", "-c", "id -u; id -g; id -G; pwd; echo $FROM_IMAGE $REPLACED $HOME");
        Assert.Equal("1234\n1235\n1235 1300\n/home/tester\nyes here /home/tester", answer);
        Assert.Equal("0", await _fixture.AnswerAsync("run", "--user", "root", image.Name, "--", "/usr/bin/id", "-u"));
    }

    [Fact]
    public async Task Run_Root_IsWritableAndABindMountIsSeen()
    {
        string shared = _fixture["shared"];
        Directory.CreateDirectory(shared);
        await _fixture.AnswerAsync(
            "run", "--user", "root", "--mount", $"type=bind,source={shared},target=/mnt", image.Name, "--", "/bin/sh", "-c", "echo written >/x; cat /x >/mnt/out");
        Assert.Equal("written\n", await File.ReadAllTextAsync(Path.Combine(shared, "out")));
    }

    [Fact]
    public async Task Run_OfMissingCommand_FailsAndLeavesNothing()
    {
        ProgramOutcome outcome = await _fixture.RunAsync("run", image.Name, "--", "/nonexistent");
        Assert.NotEqual(0, outcome.Status);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Run_Terminated_EndsTheProcessAndLeavesNothing()
    {
        using Process process = _fixture.Start(
            "run", image.Name, "--", "/bin/sh", "-c", "trap 'echo ended; exit 5' TERM; echo started; while :; do sleep 0.1; done");
        Assert.Equal("started", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await CommandLineFixture.HostAsync("kill", "-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(process);
        Assert.Equal("ended\n", outcome.Output);
        Assert.Equal(5, outcome.Status);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task BundleOnly_MakesABundleThatRuncTakes_UntilUmount()
    {
        string bundle = _fixture["bundle"];
        Assert.Equal(bundle, await _fixture.AnswerAsync("run", "--bundle-only", bundle, image.Name));
        string answer = await CommandLineFixture.HostAsync("runc", "--root", _fixture["runc"], "run", "--bundle", bundle, "overlaybd-bundle-test");
        Assert.Equal("hello from the image\n", answer);
        await _fixture.AnswerAsync("umount", bundle);
        Assert.False(Directory.Exists(bundle));
        await AssertNothingIsLeftAsync();
    }

    public void Dispose() => _fixture.Dispose();

    private async Task AssertNothingIsLeftAsync()
    {
        Assert.Empty(JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]!.AsArray());
        Assert.DoesNotContain(_fixture.RunDirectory, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_fixture.RunDirectory, "bundles")));
    }
}
