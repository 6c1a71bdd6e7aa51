// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>The control API of one server.</summary>
internal sealed class BackstoreClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _socket;

    public BackstoreClient(string socket)
    {
        _socket = socket;
        _http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false })
        {
            BaseAddress = new("http://localhost/v1/"),
            Timeout = Timeout.InfiniteTimeSpan, // an attach takes as long as the registry does
        };
    }

    /// <summary>Whether somebody listens on a socket.</summary>
    public static async Task<bool> AnswersAsync(string socket, CancellationToken cancellationToken)
    {
        if (!File.Exists(socket))
        {
            return false;
        }

        using BackstoreClient client = new(socket);
        try
        {
            using HttpResponseMessage response = await client._http.GetAsync("health", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public Task<DeviceInfo> AttachAsync(AttachRequest request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post,
        "devices",
        JsonContent.Create(request, ControlApiJson.Default.AttachRequest),
        ControlApiJson.Default.DeviceInfo,
        cancellationToken);

    public async Task<IReadOnlyList<DeviceInfo>> ListAsync(CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Get, "devices", null, ControlApiJson.Default.DeviceList, cancellationToken)).Devices;

    public Task<DeviceStatistics> ReadStatisticsAsync(string id, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, $"devices/{id}/stats", null, ControlApiJson.Default.DeviceStatistics, cancellationToken);

    /// <param name="id">The device.</param>
    /// <param name="force">Whether who still uses it gets I/O errors.</param>
    /// <param name="cancellationToken">Abandons the wait.</param>
    public async Task DetachAsync(string id, bool force, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AskAsync(
            HttpMethod.Delete, force ? $"devices/{id}?force=true" : $"devices/{id}", null, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, HttpContent? content, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await AskAsync(method, path, content, cancellationToken);
        return await response.Content.ReadFromJsonAsync(answer, cancellationToken)
            ?? throw new BackstoreException($"The server on {_socket} answered nothing to {method} {path}.");
    }

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(method, path) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new BackstoreException($"The server on {_socket} does not answer.", "overlaybd list, which tells what became of it.", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            ErrorDocument? error = await response.Content.ReadFromJsonAsync(ControlApiJson.Default.ErrorDocument, cancellationToken);
            throw error is null
                ? new BackstoreException($"The server on {_socket} answered {(int)response.StatusCode} to {method} {path}.")
                : new BackstoreException(error.Error);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
