// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Serving;

/// <summary>The control API as `curl --unix-socket` sees it.</summary>
public sealed class ControlApiTests(TestImage image) : IClassFixture<TestImage>, IAsyncLifetime
{
    private readonly CommandLineFixture _fixture = new();
    private Process _server = null!;
    private HttpClient _http = null!;

    private string Socket => Path.Combine(_fixture.RunDirectory, "backstore.sock");

    public async ValueTask InitializeAsync()
    {
        _server = CommandLineFixture.StartProgram(
            Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"), "--run-dir", _fixture.RunDirectory, "--cache-dir", _fixture["cache"]);
        string? line;
        do
        {
            line = await _server.StandardError.ReadLineAsync();
        }
        while (line?.Contains("Listening", StringComparison.Ordinal) == false);
        _ = _server.StandardError.ReadToEndAsync();
        _http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new("http://localhost/v1/") };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _fixture.Dispose();
        _server.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
    }

    [Fact]
    public async Task Health_OfRunningServer_IsOk()
    {
        JsonNode health = await ReadAsync(await _http.GetAsync("health"));
        Assert.Equal("ok", (string?)health["status"]);
        Assert.Equal(_server.Id, (int)health["processId"]!);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public async Task Devices_FromAttachToDetach_AreServed()
    {
        using HttpResponseMessage created = await _http.PostAsync("devices", Json($$"""{"image":"{{image.Name}}"}"""));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        JsonNode device = await ReadAsync(created);
        string id = (string)device["id"]!;
        await CommandLineFixture.HostAsync("cmp", (string)device["devicePath"]!, image.RawDisk);
        Assert.Single((await ReadAsync(await _http.GetAsync("devices")))["devices"]!.AsArray());
        Assert.True((long)(await ReadAsync(await _http.GetAsync($"devices/{id}/stats")))["reads"]! > 0);

        using HttpResponseMessage deleted = await _http.DeleteAsync("devices/" + id);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Empty((await ReadAsync(await _http.GetAsync("devices")))["devices"]!.AsArray());
    }

    [Fact]
    public async Task CommandLine_WhileADaemonRuns_UsesIt()
    {
        string device = await _fixture.AnswerAsync("attach", image.Name);
        Assert.Single((await ReadAsync(await _http.GetAsync("devices")))["devices"]!.AsArray());
        await _fixture.AnswerAsync("detach", device);
        Assert.False(_server.HasExited);
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("not json", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"imaeg":"x"}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"image":"docker://UPPER//"}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"layers":["relative"]}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"image":"x","config":"/y"}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"config":"/nonexistent.json"}""", HttpStatusCode.NotFound, "not-found")]
    [InlineData("""{"layers":["/proc/version"]}""", HttpStatusCode.UnprocessableEntity, "bad-image")]
    public async Task Attach_OfWhatCannotBe_AnswersWhy(string request, HttpStatusCode status, string code)
    {
        using HttpResponseMessage response = await _http.PostAsync("devices", Json(request));
        JsonNode error = (await ReadAsync(response))["error"]!;
        Assert.Equal(code, (string?)error["code"]);
        Assert.Equal(status, response.StatusCode);
        Assert.NotEmpty((string)error["message"]!);
    }

    [Theory]
    [InlineData("devices/none")]
    [InlineData("devices/none/stats")]
    [InlineData("nonsense")]
    public async Task Get_OfWhatIsNotThere_IsNotFound(string path)
    {
        using HttpResponseMessage response = await _http.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("not-found", (string?)(await ReadAsync(response))["error"]!["code"]);
    }

    [Fact]
    public async Task Terminated_Server_DetachesAndRemovesItsSocket()
    {
        await _fixture.AnswerAsync("attach", image.Name);
        await CommandLineFixture.HostAsync("kill", "-TERM", _server.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await _server.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, _server.ExitCode);
        Assert.Empty(Directory.GetFiles(_fixture.RunDirectory, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task SecondServer_OnTheSameSocket_IsRefused()
    {
        using Process second = CommandLineFixture.StartProgram(
            Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"), "--run-dir", _fixture.RunDirectory, "--cache-dir", _fixture["cache"]);
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(second);
        Assert.Equal(1, outcome.Status);
        Assert.Contains(Socket, outcome.LastErrorLine, StringComparison.Ordinal);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonNode>())!;

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        System.Net.Sockets.Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
