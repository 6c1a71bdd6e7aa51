// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Commands;

public sealed class DeviceCommandTests(TestImage image) : IClassFixture<TestImage>, IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Fact]
    public async Task Attach_PrintsADeviceWithTheDisk_UntilDetach()
    {
        string device = await _fixture.AnswerAsync("attach", image.Name);
        Assert.Matches("^/dev/loop[0-9]+$", device);
        await CommandLineFixture.HostAsync("cmp", device, image.RawDisk);

        JsonNode listed = JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]!.AsArray().Single()!;
        Assert.Equal(device, (string?)listed["devicePath"]);
        Assert.True((bool)listed["readOnly"]!);
        JsonNode statistics = JsonNode.Parse(await _fixture.AnswerAsync("stats", "--json", device))!;
        Assert.True((long)statistics["readBytes"]! >= new FileInfo(image.RawDisk).Length);
        Assert.Equal(0, (long)statistics["errors"]!);

        await _fixture.AnswerAsync("detach", device);
        Assert.Empty(JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]!.AsArray());
        Assert.Empty(Directory.GetFiles(_fixture.RunDirectory, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Attach_OfLayerFileAndOfDeviceConfig_ShowTheSameDisk()
    {
        string config = _fixture["config.v1.json"];
        await File.WriteAllTextAsync(config, $$"""{"repoBlobUrl":"","lowers":[{"file":"{{image.Layer}}"}],"resultFile":""}""");
        foreach (string source in (string[])[image.Layer, config])
        {
            string device = await _fixture.AnswerAsync("attach", source);
            await CommandLineFixture.HostAsync("cmp", device, image.RawDisk);
            await _fixture.AnswerAsync("detach", device);
        }
    }

    [Fact]
    public async Task Attach_OfWhatIsNoLayer_SaysSo_AndLeavesNothing()
    {
        string file = _fixture["junk"];
        await File.WriteAllBytesAsync(file, new byte[8192]);
        ProgramOutcome outcome = await _fixture.RunAsync("attach", file);
        Assert.Equal(1, outcome.Status);
        Assert.Contains(file, outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Empty(JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]!.AsArray());
    }

    [Fact]
    public async Task Mount_ShowsTheFiles_AndUmountTakesAllOfItAway()
    {
        string directory = _fixture["mounted"];
        await _fixture.AnswerAsync("mount", image.Name, directory);
        string device = (string)JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]![0]!["devicePath"]!;
        Assert.Equal("hello from the image\n", await File.ReadAllTextAsync(Path.Combine(directory, "etc/hello")));

        ProgramOutcome refused = await _fixture.RunAsync("detach", device);
        Assert.Equal(1, refused.Status);
        Assert.Contains("in use", refused.LastErrorLine, StringComparison.Ordinal);

        await _fixture.AnswerAsync("umount", directory);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
        Assert.Empty(JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]!.AsArray());
    }

    [Fact]
    public async Task Mount_RecordsATrace_AndReplaysIt()
    {
        string directory = _fixture["mounted"];
        string trace = _fixture["trace"];
        await _fixture.AnswerAsync("mount", image.Name, directory, "--record", trace);
        Assert.False(File.Exists(trace));
        Assert.Equal("hello from the image\n", await File.ReadAllTextAsync(Path.Combine(directory, "etc/hello")));
        await _fixture.AnswerAsync("umount", directory);
        Assert.True(new FileInfo(trace).Length > 24);

        await _fixture.AnswerAsync("mount", image.Name, directory, "--replay", trace, "--device", "fuse");
        string device = (string)JsonNode.Parse(await _fixture.AnswerAsync("list", "--json"))!["devices"]![0]!["devicePath"]!;
        JsonNode replay = JsonNode.Parse(await _fixture.AnswerAsync("stats", "--json", device))!["replay"]!;
        await _fixture.AnswerAsync("umount", directory);
        Assert.Contains((string?)replay["state"], new[] { "playing", "completed" });

        ProgramOutcome missing = await _fixture.RunAsync("mount", image.Name, directory, "--replay", _fixture["nothing"]);
        Assert.Equal(2, missing.Status);
        Assert.Contains("--replay", missing.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attach_ThroughTcmu_WithoutADaemon_SaysWhatIsNeeded()
    {
        ProgramOutcome outcome = await _fixture.RunAsync("attach", image.Name, "--device", "tcmu");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("start overlaybd-backstore", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mount_WithUpper_KeepsWhatWasWritten()
    {
        string directory = _fixture["mounted"];
        string upper = _fixture["upper"];
        await _fixture.AnswerAsync("mount", image.Name, directory, "--upper", upper);
        await File.WriteAllTextAsync(Path.Combine(directory, "etc/hello"), "changed");
        await _fixture.AnswerAsync("umount", directory);

        await _fixture.AnswerAsync("mount", image.Name, directory, "--upper", upper);
        string kept = await File.ReadAllTextAsync(Path.Combine(directory, "etc/hello"));
        await _fixture.AnswerAsync("umount", directory);
        Assert.Equal("changed", kept);
    }

    [Fact]
    public async Task Mount_Writable_ForgetsWhatWasWritten()
    {
        string directory = _fixture["mounted"];
        await _fixture.AnswerAsync("mount", image.Name, directory, "--writable");
        await File.WriteAllTextAsync(Path.Combine(directory, "new"), "x");
        await _fixture.AnswerAsync("umount", directory);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_fixture["cache"], "writable")));

        await _fixture.AnswerAsync("mount", image.Name, directory);
        bool exists = File.Exists(Path.Combine(directory, "new"));
        await _fixture.AnswerAsync("umount", directory);
        Assert.False(exists);
    }

    [Fact]
    public async Task List_AfterTheServerWasKilled_SaysSoAndCleansUp()
    {
        string device = await _fixture.AnswerAsync("attach", image.Name);
        JsonNode record = JsonNode.Parse(await File.ReadAllTextAsync(Directory.GetFiles(_fixture.RunDirectory, "*.json", SearchOption.AllDirectories).Single()))!;
        using (Process server = Process.GetProcessById((int)record["processId"]!))
        {
            server.Kill();
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        ProgramOutcome outcome = await _fixture.RunAsync("list");
        Assert.Equal(0, outcome.Status);
        Assert.Contains(device, outcome.Error, StringComparison.Ordinal);
        Assert.Contains("was killed", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(device, outcome.Output, StringComparison.Ordinal);
        string backingFile = (string)record["device"]!["backingFile"]!;
        Assert.DoesNotContain(backingFile, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.False(File.Exists(backingFile));
    }

    public void Dispose() => _fixture.Dispose();
}
