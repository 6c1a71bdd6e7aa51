// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Grpc.Core;

namespace OverlayBd.Cli.Containerd;

/// <summary>Turns what gRPC throws into what a person can read.</summary>
internal static class ContainerdFailure
{
    /// <param name="error">What a call threw.</param>
    /// <param name="what">What the call was to do, such as <c>make the image record app:1</c>.</param>
    /// <param name="address">The socket that was asked.</param>
    public static ContainerdException Describe(RpcException error, string what, string address)
    {
        if (error.Status.DebugException is { } cause && Find<SocketException, IOException>(cause) is { } connection)
        {
            string reason = File.Exists(address) ? connection.Message.TrimEnd('.') : "there is no such socket";
            return new(
                $"containerd cannot be asked to {what} at {address}: {reason}.",
                StatusCode.Unavailable,
                connection is SocketException { SocketErrorCode: SocketError.AccessDenied }
                    ? "run it as root." : "systemctl status containerd, or name its socket with --address.");
        }

        string detail = error.Status.Detail;
        return new($"containerd did not {what}: {detail} ({error.StatusCode}).", error.StatusCode, AdviceFor(error.StatusCode, detail));
    }

    private static Exception? Find<T1, T2>(Exception exception)
    {
        Exception? found = null;
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            found = cause is T1 or T2 ? cause : found;
        }

        return found;
    }

    private static string? AdviceFor(StatusCode status, string detail) =>
        detail.Contains("snapshotter not loaded", StringComparison.Ordinal)
            ? "--snapshotter with one that `ctr plugins ls` shows, or make overlaybd a proxy plugin in containerd's config.toml."
            : status == StatusCode.PermissionDenied ? "run it as root." : null;
}
