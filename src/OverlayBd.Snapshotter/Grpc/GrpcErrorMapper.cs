// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;

namespace OverlayBd.Snapshotter.Grpc;

/// <summary>The one table from failures to the statuses that containerd turns back into its own errors.</summary>
internal static class GrpcErrorMapper
{
    private const int ENOSPC = 28;

    public static StatusCode ToCode(Exception exception) => exception switch
    {
        SnapshotException snapshot => ToCode(snapshot.Error),
        OperationCanceledException => StatusCode.Cancelled,
        RpcException rpc => rpc.StatusCode,
        IOException { HResult: ENOSPC } => StatusCode.ResourceExhausted,
        _ => StatusCode.Unknown,
    };

    public static RpcException ToStatus(Exception exception)
    {
        string message = exception.Message;
        for (Exception? cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (!message.Contains(cause.Message, StringComparison.Ordinal))
            {
                message = $"{message}: {cause.Message}";
            }
        }

        return exception as RpcException ?? new RpcException(new Status(ToCode(exception), message));
    }

    private static StatusCode ToCode(SnapshotError error) => error switch
    {
        SnapshotError.InvalidArgument => StatusCode.InvalidArgument,
        SnapshotError.NotFound => StatusCode.NotFound,
        SnapshotError.AlreadyExists => StatusCode.AlreadyExists,
        SnapshotError.FailedPrecondition => StatusCode.FailedPrecondition,
        SnapshotError.Unimplemented => StatusCode.Unimplemented,
        SnapshotError.ResourceExhausted => StatusCode.ResourceExhausted,
        SnapshotError.Unavailable => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}
