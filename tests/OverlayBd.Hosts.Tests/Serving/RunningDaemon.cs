// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Serving;

/// <summary>A daemon with directories of its own, and the way to ask it.</summary>
public sealed class RunningDaemon : IAsyncDisposable
{
    private readonly CommandLineFixture _fixture = new();
    private Process? _process;
    private HttpClient? _http;

    public CommandLineFixture Fixture => _fixture;

    public int ProcessId => _process!.Id;

    public string this[string name] => _fixture[name];

    public async ValueTask StartAsync(params string[] options)
    {
        _process = CommandLineFixture.StartProgram(
            Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"),
            ["--run-dir", _fixture.RunDirectory, "--cache-dir", _fixture["cache"], .. options]);
        string? line;
        do
        {
            line = await _process.StandardError.ReadLineAsync();
        }
        while (line?.Contains("Listening", StringComparison.Ordinal) == false);
        Assert.NotNull(line);
        _ = _process.StandardError.ReadToEndAsync();
        _http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new("http://localhost/v1/") };
    }

    /// <summary>Sends a request that must succeed.</summary>
    public async Task<JsonNode?> AskAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        (HttpStatusCode status, JsonNode? answer) = await TryAskAsync(method, path, body);
        Assert.True((int)status is >= 200 and < 300, $"{method} {path}: {status} {answer}");
        return answer;
    }

    public async Task<(HttpStatusCode Status, JsonNode? Answer)> TryAskAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using HttpRequestMessage request = new(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = await _http!.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        _fixture.Dispose();
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_fixture.RunDirectory, "backstore.sock")), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
