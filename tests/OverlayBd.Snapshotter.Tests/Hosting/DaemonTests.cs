// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Grpc.Core;
using OverlayBd.Snapshotter.Grpc.Protocol;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Hosting;

public sealed class DaemonTests
{
    [Fact]
    public async Task Socket_BelongsToItsOwner_AndIsNotTakenFromARunningDaemon()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(daemon.Socket));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(daemon.Socket)!));
        (int status, _, string error) = await Shell.TryRunAsync(Programs.Snapshotter, ["--config", directory["snapshotter.json"]]);
        Assert.Equal(1, status);
        Assert.Contains("Another daemon listens", error, StringComparison.Ordinal);

        // Another socket does not help: the snapshots are taken too.
        File.Move(directory["snapshotter.json"], directory["first.json"]);
        string config = SnapshotterDaemon.WriteConfig(directory.Path, directory["other.sock"], null);
        (status, _, error) = await Shell.TryRunAsync(Programs.Snapshotter, [config]);
        Assert.Equal(1, status);
        Assert.Contains("another process", error, StringComparison.Ordinal);
        await daemon.Client.CleanupAsync(new());
    }

    [Fact]
    public async Task Daemon_KilledAndStartedAgain_TakesTheSocketOver_AndHasItsSnapshots()
    {
        using MountedDirectory directory = new();
        await using (SnapshotterDaemon first = await SnapshotterDaemon.StartAsync(directory.Path))
        {
            await first.Client.PrepareAsync(new() { Key = "one" });
            await first.Process.KillAsync();
        }

        Directory.CreateDirectory(directory["snapshotter/snapshots/77/fs"]);
        await using SnapshotterDaemon second = await SnapshotterDaemon.StartAsync(directory.Path);
        Assert.Equal("one", (await second.Client.StatAsync(new() { Key = "one" })).Info.Name);
        Assert.False(Directory.Exists(directory["snapshotter/snapshots/77"]));
        Assert.Contains("snapshots/77", second.Process.Log, StringComparison.Ordinal);
        Assert.Equal(0, await second.Process.TerminateAsync());
        Assert.False(File.Exists(second.Socket));
    }

    [Fact]
    public async Task Daemon_ToldToEnd_LetsRunningCallsEnd()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, Settings());

        // A backstore that takes a while.
        Directory.CreateDirectory(BackstoreDaemon.SocketDirectory(directory.Path));
        using Socket backstore = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        backstore.Bind(new UnixDomainSocketEndPoint(Path.Combine(BackstoreDaemon.SocketDirectory(directory.Path), "backstore.sock")));
        backstore.Listen();
        await ProvideAsync(daemon.Client, "image");
        Task<PrepareSnapshotResponse> prepare = daemon.Client.PrepareAsync(new() { Key = "one", Parent = "image" }).ResponseAsync;
        using Socket asked = await backstore.AcceptAsync(TestContext.Current.CancellationToken);
        await Shell.RunAsync("kill", "-TERM", $"{daemon.Process.Process.Id}");
        await Eventually.TrueAsync(() => !CanConnect(daemon.Socket), "no new calls are taken");
        Assert.False(daemon.Process.Process.HasExited);
        asked.Dispose();
        backstore.Dispose();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => prepare)).StatusCode);
        await daemon.Process.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, daemon.Process.Process.ExitCode);
    }

    [Fact]
    public async Task Calls_OnTheWire_AreContainerds()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        Grpc.Protocol.Snapshots.SnapshotsClient client = daemon.Client;
        Assert.Empty(await ListAsync(client));
        for (int i = 0; i < 250; i++)
        {
            await client.PrepareAsync(new() { Key = $"key-{i:000}" });
        }

        IReadOnlyList<ListSnapshotsResponse> messages = await MessagesAsync(client);
        Assert.Equal([100, 100, 50], messages.Select(message => message.Info.Count));
        Assert.Single(await ListAsync(client, "name==key-007"));
        RpcException bad = await Assert.ThrowsAsync<RpcException>(() => ListAsync(client, "name="));
        Assert.Equal(StatusCode.InvalidArgument, bad.StatusCode);
        RpcException large = await Assert.ThrowsAsync<RpcException>(
            async () => await client.PrepareAsync(new() { Key = "x", Labels = { ["a"] = new string('v', 1 << 20) } }));
        Assert.Equal(StatusCode.InvalidArgument, large.StatusCode);
        RpcException missing = await Assert.ThrowsAsync<RpcException>(async () => await client.StatAsync(new() { Key = "none" }));
        Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        RpcException empty = await Assert.ThrowsAsync<RpcException>(async () => await client.UpdateAsync(new()));
        Assert.Equal(StatusCode.InvalidArgument, empty.StatusCode);

        UpdateSnapshotResponse updated = await client.UpdateAsync(new()
        {
            Info = new() { Name = "key-001", Labels = { ["a.b/c"] = "d" } },
            UpdateMask = new() { Paths = { "labels.a.b/c" } },
        });
        Assert.Equal("d", updated.Info.Labels["a.b/c"]);
        Assert.True(updated.Info.UpdatedAt >= updated.Info.CreatedAt);
        Assert.True((await client.UsageAsync(new() { Key = "key-001" })).Inodes > 0);
        Assert.Contains("Prepare key-001: OK in", daemon.Process.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_IsToldInGrpcsWay()
    {
        using MountedDirectory directory = new();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path);
        Method<byte[], byte[]> check = new(
            MethodType.Unary,
            "grpc.health.v1.Health",
            "Check",
            Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes),
            Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes));
        byte[] answer = await daemon.Channel.CreateCallInvoker().AsyncUnaryCall(check, null, default, []);
        Assert.Equal(new byte[] { 8, 1 }, answer); // status = SERVING
    }

    [Fact]
    public async Task Metrics_HaveUpstreamsNames_AndNothingElseIsServedThere()
    {
        using MountedDirectory directory = new();
        int port = FreePort();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(
            directory.Path, new Dictionary<string, object> { ["exporterConfig"] = new { enable = true, port } });
        await daemon.Client.PrepareAsync(new() { Key = "one" });
        await Assert.ThrowsAsync<RpcException>(async () => await daemon.Client.MountsAsync(new() { Key = "none" }));
        using HttpClient http = new() { BaseAddress = new($"http://127.0.0.1:{port}") };
        string text = await http.GetStringAsync("/metrics");
        Assert.Contains("\nis_alive 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\ngrpc_error_count{function=\"Mounts\"} 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("grpc_error_count{function=\"Prepare\"}", text, StringComparison.Ordinal);
        Assert.Contains("\ngrpc_latency_seconds_count{function=\"Prepare\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("le=\"0.0001\"", text, StringComparison.Ordinal);
        Assert.Contains("le=\"52.4288\"", text, StringComparison.Ordinal);
        Assert.Contains("overlaybd_snapshotter_calls_total{function=\"Mounts\",code=\"NotFound\"} 1", text, StringComparison.Ordinal);
        Assert.Contains("overlaybd_snapshotter_calls_total{function=\"Prepare\",code=\"OK\"} 1", text, StringComparison.Ordinal);
        Assert.Contains("\noverlaybd_snapshotter_calls_active 0\n", text, StringComparison.Ordinal);
        Assert.Matches("\nprocess_resident_memory_bytes [1-9][0-9]{6}", text);
        Assert.Contains("\n# TYPE grpc_latency_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Contains("\n# TYPE grpc_error_count counter\n", text, StringComparison.Ordinal);
        using HttpResponseMessage other = await http.GetAsync("/containerd.services.snapshots.v1.Snapshots/List");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, other.StatusCode);

        // Whoever comes second on that port does not start without his metrics.
        Dictionary<string, object> settings = new() { ["root"] = directory["other"], ["exporterConfig"] = new { enable = true, port } };
        string config = SnapshotterDaemon.WriteConfig(directory.Path, directory["other.sock"], settings);
        (int status, _, string error) = await Shell.TryRunAsync(Programs.Snapshotter, [config]);
        Assert.Equal(1, status);
        Assert.Contains($"exporterConfig.port: port {port} ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EveryInstrument_IsDocumented()
    {
        using MountedDirectory directory = new();
        await using OtlpCollector collector = await OtlpCollector.StartAsync();
        await using SnapshotterDaemon daemon = await SnapshotterDaemon.StartAsync(directory.Path, environment: collector.Environment);
        await daemon.Client.PrepareAsync(new() { Key = "one" });
        string[] documented = [.. File.ReadLines(Path.Combine(Programs.Repository, "docs/metrics.md"))
            .Where(line => line.StartsWith("| `overlaybd.snapshotter.", StringComparison.Ordinal)).Select(line => line.Split('`')[1])];
        Assert.NotEmpty(documented);
        await Eventually.TrueAsync(
            () => documented.All(name => collector.HasMetric("overlaybd-snapshotter", name)), "what is documented is sent");
        Assert.Equal(
            documented.Order(StringComparer.Ordinal),
            collector.MetricsOf("overlaybd-snapshotter").Where(name => name.StartsWith("overlaybd.", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{ \"root\": \"/r\", \"address\": \"/a\", \"x\": 1 }", 0, "x is not known")]
    [InlineData("{ \"root\": \"r\" }", 2, "root")]
    public async Task CheckConfig_TellsAndEnds(string json, int expected, string text)
    {
        using MountedDirectory directory = new();
        await File.WriteAllTextAsync(directory["config.json"], json);
        (int status, _, string error) = await Shell.TryRunAsync(Programs.Snapshotter, ["--config", directory["config.json"], "--check-config"]);
        Assert.Equal(expected, status);
        Assert.Contains(text, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/r"));
    }

    private static Dictionary<string, object> Settings() => new() { ["attacher"] = "backstore" };

    private static async Task ProvideAsync(Grpc.Protocol.Snapshots.SnapshotsClient client, string name)
    {
        PrepareSnapshotRequest request = new() { Key = "pull " + name };
        foreach ((string label, string value) in SnapshotterWorkshop.RemoteLabels(name))
        {
            request.Labels[label] = value;
        }

        RpcException answer = await Assert.ThrowsAsync<RpcException>(async () => await client.PrepareAsync(request));
        Assert.Equal(StatusCode.AlreadyExists, answer.StatusCode);
    }

    private static async Task<IReadOnlyList<ListSnapshotsResponse>> MessagesAsync(
        Grpc.Protocol.Snapshots.SnapshotsClient client, params string[] filters)
    {
        ListSnapshotsRequest request = new();
        request.Filters.AddRange(filters);
        using AsyncServerStreamingCall<ListSnapshotsResponse> call = client.List(request);
        List<ListSnapshotsResponse> messages = [];
        while (await call.ResponseStream.MoveNext(default))
        {
            messages.Add(call.ResponseStream.Current);
        }

        return messages;
    }

    private static async Task<IReadOnlyList<Info>> ListAsync(Grpc.Protocol.Snapshots.SnapshotsClient client, params string[] filters) =>
        [.. (await MessagesAsync(client, filters)).SelectMany(message => message.Info)];

    private static bool CanConnect(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
