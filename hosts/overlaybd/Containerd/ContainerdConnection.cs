// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;

namespace OverlayBd.Cli.Containerd;

/// <summary>containerd's API on its socket: every call names the namespace, and the lease when there is one.</summary>
internal sealed class ContainerdConnection : IDisposable
{
    // containerd answers with messages of up to 16 MiB (its defaults package).
    private const int MaxMessageSize = 16 << 20;
    private const int StreamWindow = 4 << 20;

    private readonly ContainerdSettings _settings;
    private readonly GrpcChannel _channel;

    /// <summary>Makes a connection. Nothing is asked yet.</summary>
    public ContainerdConnection(ContainerdSettings settings)
    {
        _settings = settings;
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = settings.ConnectTimeout,
            InitialHttp2StreamWindowSize = StreamWindow,
            UseProxy = false,
        };
        _channel = GrpcChannel.ForAddress("http://localhost", new()
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageSize,
            MaxSendMessageSize = MaxMessageSize,
        });
    }

    public string Namespace => _settings.Namespace;

    /// <summary>What the generated clients call through.</summary>
    public ChannelBase Channel => _channel;

    /// <summary>The lease that holds what calls make; null for none.</summary>
    public string? LeaseId { get; set; }

    /// <summary>Asks for the version, so that a wrong address is told before anything else.</summary>
    /// <exception cref="ContainerdException">Nobody listens, or nobody answers within the time that a connection may take.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        Api.VersionV1.Version.VersionClient client = new(_channel);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_settings.ConnectTimeout);
        try
        {
            await CallAsync("tell its version", options => client.VersionAsync(new Empty(), options), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ContainerdException(
                $"containerd does not answer at {_settings.SocketPath} within {_settings.ConnectTimeout.TotalSeconds} seconds.",
                StatusCode.DeadlineExceeded,
                "systemctl status containerd, or a longer --connect-timeout.");
        }
    }

    /// <summary>Makes one call.</summary>
    /// <param name="what">What it is to do, behind "containerd did not".</param>
    /// <param name="call">Starts the call.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <exception cref="ContainerdException">containerd refused, or does not answer.</exception>
    public async Task<T> CallAsync<T>(string what, Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            using AsyncUnaryCall<T> pending = call(Options(cancellationToken));
            return await pending;
        }
        catch (RpcException e)
        {
            throw Failure(e, what, cancellationToken);
        }
    }

    /// <summary>What a streaming call is started with.</summary>
    public CallOptions Options(CancellationToken cancellationToken)
    {
        Metadata headers = new() { { "containerd-namespace", Namespace } };
        if (LeaseId is { } lease)
        {
            headers.Add("containerd-lease", lease);
        }

        return new CallOptions(headers, cancellationToken: cancellationToken);
    }

    /// <summary>What to throw for a failed call: a cancellation is one only when the caller asked for it.</summary>
    public Exception Failure(RpcException error, string what, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
            ? new OperationCanceledException(error.Message, error, cancellationToken)
            : ContainerdFailure.Describe(error, what, _settings.SocketPath);

    public void Dispose() => _channel.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_settings.SocketPath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
