// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containerd;
using OverlayBd.Registry;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>What is told of a wrong address, and what is wrong before anything is asked.</summary>
public sealed class ContainerdUsageTests : IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Theory]
    [InlineData("rpull", "--namespace", "a/b", "image")]
    [InlineData("rpull", "--address", "tcp://host", "image")]
    [InlineData("rpull", "--label", "nonsense", "image")]
    [InlineData("rpull", "--timeout", "soon", "image")]
    [InlineData("obdconv", "one", "two", "--dbstr", "user@tcp(db)/x")]
    [InlineData("obdconv", "one", "two", "--fstype", "erofs")]
    [InlineData("obdconv", "one", "two", "--bs", "7")]
    [InlineData("obdconv", "one", "two", "--algorithm", "gzip")]
    [InlineData("record-trace", "one", "two", "--time", "0")]
    [InlineData("record-trace", "one", "two", "--priority_list", "/nonexistent")]
    [InlineData("record-trace", "one", "two", "--priority_list", "/etc/passwd", "--", "/bin/sh")]
    public async Task WrongUsage_EndsWithTwo(params string[] arguments)
    {
        ProgramOutcome outcome = await _fixture.RunAsync(arguments);
        Assert.Equal(2, outcome.Status);
        Assert.Empty(outcome.Output);
    }

    [Fact]
    public async Task MissingSocket_IsNamed()
    {
        string address = _fixture["none.sock"];
        ProgramOutcome outcome = await _fixture.RunAsync("rpull", "--address", "unix://" + address, "image");
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"{address}: there is no such socket.", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("--address", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SocketThatNobodyServes_IsNamed()
    {
        string address = _fixture["file"];
        await File.WriteAllTextAsync(address, "", TestContext.Current.CancellationToken);
        ProgramOutcome outcome = await _fixture.RunAsync("obdconv", "--address", address, "one", "two");
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"{address}: Connection refused.", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SocketThatNobodyAnswersAt_IsNamed_WhenTheConnectionTookTooLong()
    {
        string address = _fixture["mute.sock"];
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen();
        ProgramOutcome outcome = await _fixture.RunAsync("rpull", "--address", address, "--connect-timeout", "1s", "image");
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"does not answer at {address} within 1 seconds", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis", "docker.io/library/redis:latest")]
    [InlineData("team/app:1", "docker.io/team/app:1")]
    [InlineData("registry-1.docker.io/team/app:1", "registry-1.docker.io/team/app:1")]
    [InlineData("docker://host:5000/app", "host:5000/app:latest")]
    [InlineData("localhost/app:2", "localhost/app:2")]
    public void PullName_IsFull_AndAsWrittenWhereItCanBe(string text, string expected) => Assert.Equal(expected, PullName.Parse(text).Name);

    [Fact]
    public void PullName_OfNoReference_IsWrongUsage() => Assert.Throws<UsageException>(() => PullName.Parse("UPPER/case//"));

    [Fact]
    public void SourceLabel_KeepsEarlierRepositories()
    {
        const string Key = "containerd.io/distribution.source.host";
        Dictionary<string, string> labels = [];
        GcLabels.AddSource(labels, new Dictionary<string, string> { [Key] = "b/x,a" }, ImageReference.Parse("host:5000/b/y:1"));
        Assert.Equal("a,b/x,b/y", labels[Key]);
        labels.Clear();
        Dictionary<string, string> full = new() { [Key] = new string('a', 4090) };
        GcLabels.AddSource(labels, full, ImageReference.Parse("host:5000/b/y:1"));
        Assert.Empty(labels);
    }

    public void Dispose() => _fixture.Dispose();
}
