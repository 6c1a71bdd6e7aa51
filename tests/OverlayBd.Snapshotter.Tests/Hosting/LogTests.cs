// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>What the daemon writes of its calls, in both formats.</summary>
public sealed class LogTests
{
    private static readonly string[] s_expected =
    [
        "Information Prepare first OK", "Information Commit first OK", "Information Prepare child OK", "Information Prepare child AlreadyExists",
        "Information View view OK", "Information Mounts child OK", "Information Mounts none NotFound", "Information Stat parent OK",
        "Information Update parent OK", "Information Walk  OK", "Information Usage child OK", "Information Cleanup  OK",
        "Information Remove view OK", "Warning Remove parent FailedPrecondition", "Warning Prepare  InvalidArgument",
    ];

    [Fact]
    public async Task JsonLog_HasOneObjectForEachCall_WithItsDurationAndOutcome()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, null, null, "--log-format", "json");
        await CallEverythingAsync(daemon);
        await daemon.Process.TerminateAsync();

        JsonNode[] lines = [.. LinesOf(daemon).Select(line => JsonNode.Parse(line)!)];
        Assert.All(lines, line => Assert.EndsWith("Z", line["Timestamp"]!.GetValue<string>(), StringComparison.Ordinal));
        JsonNode[] calls = [.. lines.Where(line => line["State"]?["Operation"] is not null)];
        Assert.Equal(
            s_expected.Order(StringComparer.Ordinal),
            calls.Select(call => $"{call["LogLevel"]} {call["State"]!["Operation"]} {call["State"]!["Key"]} {call["State"]!["Outcome"]}")
                .Order(StringComparer.Ordinal));
        Assert.All(calls, call => Assert.InRange(call["State"]!["Milliseconds"]!.GetValue<double>(), 0.001, 60_000));
        Assert.All(
            calls.Where(call => call["State"]!["Operation"]!.GetValue<string>() == "View"),
            call => Assert.Equal("parent", call["State"]!["Parent"]!.GetValue<string>()));
    }

    [Fact]
    public async Task TextLog_HasOneLineForEachCall_FromTheLevelOnThatTheCommandLineNames()
    {
        using MountedDirectory directory = new();
        Dictionary<string, object> settings = new() { ["verbose"] = "trace", ["logFormat"] = "json" };
        await using (SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, settings, null, "--log-format", "text"))
        {
            await CallEverythingAsync(daemon);
            await daemon.Process.TerminateAsync();
            string[] calls = [.. LinesOf(daemon).Where(line => line.Contains(" ms (parent ", StringComparison.Ordinal))];
            Assert.Equal(s_expected.Length, calls.Length);
            Assert.Matches(" info: .*] Prepare child: OK in ", Assert.Single(calls, Has("] Prepare child: OK in ")));
            Assert.Single(calls, Has("] Prepare child: AlreadyExists in "));
            Assert.Matches(" warn: ", Assert.Single(calls, Has("] Remove parent: FailedPrecondition in ")));
        }

        await using SnapshotterDaemon quiet = await SnapshotterDaemon.StartAsync(directory.Path, settings, null, "--log-level", "warn");
        await Assert.ThrowsAsync<RpcException>(async () => await quiet.Client.RemoveAsync(new() { Key = "parent" }));
        await quiet.Client.StatAsync(new() { Key = "parent" });
        await quiet.Process.TerminateAsync();
        JsonNode line = JsonNode.Parse(Assert.Single(LinesOf(quiet)))!;
        Assert.Equal(("Warning", "Remove"), (line["LogLevel"]!.GetValue<string>(), line["State"]!["Operation"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("--log-level", "loud")]
    [InlineData("--log-format", "xml")]
    public async Task Option_ThatIsWrong_EndsTheDaemon_AndIsNamed(string option, string value)
    {
        using MountedDirectory directory = new();
        string config = SnapshotterDaemon.WriteConfig(directory.Path, directory["x.sock"], null);
        (int status, _, string error) = await Shell.TryRunAsync(Programs.Snapshotter, ["--config", config, option, value]);
        Assert.Equal(2, status);
        Assert.Contains($"{option} is {value}, not ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_OfARegistry_StandsInNoLog_AndInNoAnswer()
    {
        using MountedDirectory directory = new();
        await using DockerRegistry registry = await DockerRegistry.StartAsync(authenticated: true);
        JsonObject account = new() { ["username"] = DockerRegistry.UserName, ["password"] = DockerRegistry.Password };
        JsonObject credentials = new() { ["auths"] = new JsonObject { [registry.Host] = account } };
        await File.WriteAllTextAsync(directory["cred.json"], credentials.ToJsonString());
        await File.WriteAllTextAsync(directory["overlaybd.json"], JsonSerializer.Serialize(new
        {
            logPath = "",
            auditPath = "",
            credentialConfig = new { mode = "file", path = directory["cred.json"] },
        }));
        await using BackstoreDaemon backstore = await BackstoreDaemon.StartAsync(
            directory.Path,
            null,
            ["--config", directory["overlaybd.json"], "--socket", directory["run-backstore/backstore.sock"], "--log-level", "Trace"]);
        Dictionary<string, object> settings = new()
        {
            ["attacher"] = "backstore",
            ["mirrorRegistry"] = new[] { new { host = registry.Host, insecure = true } },
            ["password"] = DockerRegistry.Password,
        };
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, settings, null, "--log-level", "trace");
        await Assert.ThrowsAsync<RpcException>(async () => await daemon.Client.PrepareAsync(LayerOf(registry)));
        RpcException missing = await Assert.ThrowsAsync<RpcException>(
            async () => await daemon.Client.PrepareAsync(new() { Key = "one", Parent = "layer" }));

        // It let the daemon in, or it would have answered 401.
        Assert.Contains("404", missing.Status.Detail, StringComparison.Ordinal);
        await daemon.Process.TerminateAsync();
        await backstore.Process.TerminateAsync();
        string all = missing.Status.Detail + daemon.Process.Log + backstore.Process.Log;
        Assert.Contains(registry.Host, all, StringComparison.Ordinal);
        Assert.Contains("password is not known", all, StringComparison.Ordinal);
        string encoded = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{DockerRegistry.UserName}:{DockerRegistry.Password}"));
        Assert.DoesNotContain(DockerRegistry.Password, all, StringComparison.Ordinal);
        Assert.DoesNotContain(encoded, all, StringComparison.Ordinal);
    }

    /// <summary>Makes every call once, and some more that fail.</summary>
    private static async Task CallEverythingAsync(SnapshotterDaemon daemon)
    {
        Grpc.Protocol.Snapshots.SnapshotsClient client = daemon.Client;
        await client.PrepareAsync(new() { Key = "first" });
        await client.CommitAsync(new() { Key = "first", Name = "parent" });
        await client.PrepareAsync(new() { Key = "child", Parent = "parent" });
        await Assert.ThrowsAsync<RpcException>(async () => await client.PrepareAsync(new() { Key = "child", Parent = "parent" }));
        await client.ViewAsync(new() { Key = "view", Parent = "parent" });
        await client.MountsAsync(new() { Key = "child" });
        await Assert.ThrowsAsync<RpcException>(async () => await client.MountsAsync(new() { Key = "none" }));
        await client.StatAsync(new() { Key = "parent" });
        await client.UpdateAsync(new() { Info = new() { Name = "parent", Labels = { ["a"] = "b" } } });
        using (AsyncServerStreamingCall<Grpc.Protocol.ListSnapshotsResponse> list = client.List(new()))
        {
            while (await list.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            {
            }
        }

        await client.UsageAsync(new() { Key = "child" });
        await client.CleanupAsync(new());
        await client.RemoveAsync(new() { Key = "view" });
        await Assert.ThrowsAsync<RpcException>(async () => await client.RemoveAsync(new() { Key = "parent" }));
        await Assert.ThrowsAsync<RpcException>(async () => await client.PrepareAsync(new()));
    }

    private static Grpc.Protocol.PrepareSnapshotRequest LayerOf(DockerRegistry registry)
    {
        Grpc.Protocol.PrepareSnapshotRequest request = new() { Key = "pull layer" };
        foreach ((string name, string value) in SnapshotterWorkshop.RemoteLabels("layer"))
        {
            request.Labels[name] = value.Replace("registry.example", registry.Host, StringComparison.Ordinal);
        }

        return request;
    }

    private static Predicate<string> Has(string text) => line => line.Contains(text, StringComparison.Ordinal);

    private static string[] LinesOf(SnapshotterDaemon daemon) =>
        daemon.Process.Log.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
}
