// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using OverlayBd.Snapshotter.Diagnostics;

namespace OverlayBd.Snapshotter.Grpc;

/// <summary>Runs calls: each is one span, one measurement and one line of the log, and its failure becomes a status.</summary>
internal sealed class CallRecorder : IDisposable
{
    /// <summary>The name of the histogram of calls, in seconds, with the tags "function" and "code".</summary>
    public const string DurationName = "overlaybd.snapshotter.call.duration";

    private readonly Meter _meter = new(SnapshotterDiagnostics.Name);
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<int> _active;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public CallRecorder(TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        _duration = _meter.CreateHistogram<double>(DurationName, "s", "Calls of the snapshots service");
        _active = _meter.CreateUpDownCounter<int>("overlaybd.snapshotter.calls.active", "{call}", "Calls that are being answered");
    }

    public async Task<T> RunAsync<T>(ServerCallContext context, string function, string key, string parent, Func<Task<T>> call)
    {
        using Activity? span = CallSpan.Start(function, context.RequestHeaders);
        long start = _time.GetTimestamp();
        _active.Add(1);
        try
        {
            T result = await call().ConfigureAwait(false);
            span?.SetTag(CallSpan.CodeTag, (int)StatusCode.OK);
            Record(function, key, parent, start, null);
            return result;
        }
        catch (Exception e)
        {
            // The edge of the library: whatever failed reaches the caller.
            Record(function, key, parent, start, e);
            RpcException status = GrpcErrorMapper.ToStatus(e);
            CallSpan.Fail(span, status.Status);
            throw status;
        }
        finally
        {
            _active.Add(-1);
        }
    }

    public void Dispose() => _meter.Dispose();

    private void Record(string function, string key, string parent, long start, Exception? failure)
    {
        TimeSpan elapsed = _time.GetElapsedTime(start);
        StatusCode code = failure is null ? StatusCode.OK : GrpcErrorMapper.ToCode(failure);
        string outcome = code.ToString();
        _duration.Record(elapsed.TotalSeconds, new("function", function), new("code", outcome));
        string shownKey = SnapshotException.Printable(key);
        string shownParent = SnapshotException.Printable(parent);
        double milliseconds = elapsed.TotalMilliseconds;
        if (code is StatusCode.OK or StatusCode.AlreadyExists or StatusCode.NotFound)
        {
            SnapshotterLog.Call(_logger, function, shownKey, shownParent, outcome, milliseconds);
        }
        else if (failure is SnapshotException { Error: not SnapshotError.Unknown } or OperationCanceledException)
        {
            SnapshotterLog.CallRefused(_logger, function, shownKey, shownParent, outcome, milliseconds, failure.Message);
        }
        else
        {
            SnapshotterLog.CallFailed(_logger, failure!, function, shownKey, shownParent, outcome, milliseconds);
        }
    }
}
