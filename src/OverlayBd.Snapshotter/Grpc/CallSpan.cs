// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Grpc.Core;
using OverlayBd.Snapshotter.Diagnostics;

namespace OverlayBd.Snapshotter.Grpc;

/// <summary>The span of a call: a child of the caller's, which the metadata name as W3C's Trace Context says.</summary>
internal static class CallSpan
{
    /// <summary>The tag with the number of the status.</summary>
    public const string CodeTag = "rpc.grpc.status_code";

    private const string Service = "containerd.services.snapshots.v1.Snapshots";

    public static Activity? Start(string function, global::Grpc.Core.Metadata metadata)
    {
        if (!SnapshotterDiagnostics.Source.HasListeners())
        {
            return null;
        }

        // The gRPC server may have a span of its own, which then is the caller's child. ASP.NET Core also makes one where nobody
        // listens, without a source: nobody would ever see that parent.
        Activity? outer = Activity.Current;
        ActivityContext caller = default;
        if (outer is { Source.Name.Length: > 0 })
        {
            caller = outer.Context;
        }
        else
        {
            Activity.Current = null;
            _ = ActivityContext.TryParse(
                metadata.GetValue("traceparent"), metadata.GetValue("tracestate"), isRemote: true, out caller);
        }

        Activity? span = SnapshotterDiagnostics.Source.StartActivity("snapshots." + function, ActivityKind.Server, caller);
        if (span is null)
        {
            Activity.Current = outer;
        }

        return span?.SetTag("rpc.system", "grpc").SetTag("rpc.service", Service).SetTag("rpc.method", function);
    }

    /// <summary>Says how a call ended that did not succeed. What is there already, or not at all, is an answer and no error.</summary>
    public static void Fail(Activity? span, Status status)
    {
        span?.SetTag(CodeTag, (int)status.StatusCode);
        if (status.StatusCode is not (StatusCode.AlreadyExists or StatusCode.NotFound))
        {
            span?.SetStatus(ActivityStatusCode.Error, status.Detail);
        }
    }
}
