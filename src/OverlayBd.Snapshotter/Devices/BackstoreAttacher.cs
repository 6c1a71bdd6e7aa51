// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Attaches through the control API of overlaybd-backstore, HTTP with JSON on a unix socket: with FUSE and a loop device, or whatever
/// front end that daemon has.</summary>
public sealed class BackstoreAttacher : IBlockDeviceAttacher, IDisposable
{
    private readonly HttpClient _http;
    private readonly string _socket;
    private readonly string? _frontEnd;

    /// <summary>Creates the attacher; nothing is connected yet.</summary>
    /// <param name="socket">The path of the control socket.</param>
    /// <param name="frontEnd">How the daemon is to show devices: <c>tcmu</c> or <c>fuse</c>; <see langword="null"/> for what it was configured for.</param>
    public BackstoreAttacher(string socket, string? frontEnd = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(socket);
        _socket = socket;
        _frontEnd = frontEnd;

        // The span of the attach is the parent of what the daemon does; the handler would put one of its own between, which not
        // everybody collects.
        _http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false, ActivityHeadersPropagator = null })
        {
            BaseAddress = new("http://localhost/v1/"),
            Timeout = Timeout.InfiniteTimeSpan, // an attach takes as long as the registry does
        };
    }

    /// <inheritdoc/>
    public async ValueTask<string> AttachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (await FindAsync(request, cancellationToken).ConfigureAwait(false) is { } attached)
        {
            return attached;
        }

        using JsonContent content = JsonContent.Create(
            new BackstoreAttachRequest(request.ConfigPath, _frontEnd), BackstoreJson.Default.BackstoreAttachRequest);
        using HttpResponseMessage response = await SendAsync(HttpMethod.Post, "devices", content, cancellationToken).ConfigureAwait(false);
        BackstoreDevice? device = await response.Content
            .ReadFromJsonAsync(BackstoreJson.Default.BackstoreDevice, cancellationToken).ConfigureAwait(false);
        return device?.DevicePath is { Length: > 0 } path
            ? path
            : throw new SnapshotException(SnapshotError.Unknown, $"the backstore on {_socket} attached {request.ConfigPath} without a device");
    }

    /// <inheritdoc/>
    public async ValueTask<string?> FindAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return (await FindDeviceAsync(request, cancellationToken).ConfigureAwait(false))?.DevicePath;
    }

    /// <inheritdoc/>
    public async ValueTask DetachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            if (await FindDeviceAsync(request, cancellationToken).ConfigureAwait(false) is { } device)
            {
                using HttpResponseMessage response = await SendAsync(
                    HttpMethod.Delete, "devices/" + Uri.EscapeDataString(device.Id), null, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (SnapshotException e) when (e.Error == SnapshotError.NotFound)
        {
            // Somebody was faster.
        }
        catch (SnapshotException e) when (e.Error == SnapshotError.Unavailable)
        {
            throw SnapshotException.Precondition(e.Message, e);
        }
    }

    /// <summary>Closes the connections. Devices stay.</summary>
    public void Dispose() => _http.Dispose();

    private static SnapshotError ToError(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Conflict => SnapshotError.FailedPrecondition,
        HttpStatusCode.ServiceUnavailable => SnapshotError.Unavailable,
        _ => SnapshotError.Unknown,
    };

    private async Task<BackstoreDevice?> FindDeviceAsync(BlockDeviceRequest request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, "devices", null, cancellationToken).ConfigureAwait(false);
        BackstoreDeviceList? list = await response.Content
            .ReadFromJsonAsync(BackstoreJson.Default.BackstoreDeviceList, cancellationToken).ConfigureAwait(false);
        return list?.Devices.FirstOrDefault(device => device.Source == request.ConfigPath);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpRequestMessage message = new(method, path) { Content = content };
        DistributedContextPropagator.Current.Inject(
            Activity.Current,
            message,
            static (carrier, name, value) => ((HttpRequestMessage)carrier!).Headers.TryAddWithoutValidation(name, value));
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new SnapshotException(
                SnapshotError.Unavailable, $"no backstore answers on {_socket}: {e.InnerException?.Message ?? e.Message}; is overlaybd-backstore running?", e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            bool isGone = response.StatusCode == HttpStatusCode.NotFound && method == HttpMethod.Delete;
            string cause = await ReadCauseAsync(response, cancellationToken).ConfigureAwait(false);
            throw new SnapshotException(
                isGone ? SnapshotError.NotFound : ToError(response.StatusCode), $"the backstore answers {(int)response.StatusCode}: {cause}");
        }
    }

    private static async Task<string> ReadCauseAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            BackstoreErrorDocument? document = await response.Content
                .ReadFromJsonAsync(BackstoreJson.Default.BackstoreErrorDocument, cancellationToken).ConfigureAwait(false);
            return document?.Error is { } error ? string.Join(" <- ", [error.Message, .. error.Cause ?? []]) : "nothing more";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return "nothing more";
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
