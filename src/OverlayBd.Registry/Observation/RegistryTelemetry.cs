// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OverlayBd.Registry.Observation;

/// <summary>The instruments and the spans of this library that do not belong to one object. One set a process: they outlive
/// clients.</summary>
internal static class RegistryTelemetry
{
    private const string RegistryTag = "server.address";
    private const string MethodTag = "http.request.method";
    private const string StatusTag = "http.response.status_code";
    private const string ErrorTag = "error.type";

    // From a registry beside us to one that makes readers wait for its back end, in seconds.
    private static readonly InstrumentAdvice<double> s_networkTimes =
        new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    private static readonly Meter s_meter = new(RegistryStatistics.MeterName);

    private static readonly Counter<long> s_requests =
        s_meter.CreateCounter<long>("overlaybd.registry.requests", "{request}", "HTTP requests made.");

    private static readonly Histogram<double> s_requestDuration = s_meter.CreateHistogram(
        "overlaybd.registry.request.duration", "s", "Time from a request to the headers of its answer.", tags: null, s_networkTimes);

    private static readonly Counter<long> s_tokenRequests =
        s_meter.CreateCounter<long>("overlaybd.registry.token_requests", "{request}", "Requests for tokens made.");

    private static readonly Counter<long> s_retries =
        s_meter.CreateCounter<long>("overlaybd.registry.retries", "{retry}", "Operations tried again.");

    private static readonly Counter<long> s_errors =
        s_meter.CreateCounter<long>("overlaybd.registry.errors", "{operation}", "Operations that failed, after all attempts.");

    private static readonly Counter<long> s_received =
        s_meter.CreateCounter<long>("overlaybd.registry.received", "By", "Bytes of bodies received.");

    private static readonly Counter<long> s_sent = s_meter.CreateCounter<long>("overlaybd.registry.sent", "By", "Bytes of bodies sent.");

    private static readonly Histogram<double> s_fetchDuration = s_meter.CreateHistogram(
        "overlaybd.cache.fetch.duration", "s", "Time to read from the origin what the cache lacked.", tags: null, s_networkTimes);

    /// <summary>Where this library's spans come from.</summary>
    public static ActivitySource Activities { get; } = new(RegistryStatistics.MeterName);

    /// <summary>Counts a request that was answered.</summary>
    public static void Answered(string registry, string method, int status, TimeSpan elapsed)
    {
        if (s_requests.Enabled || s_requestDuration.Enabled)
        {
            var tags = new TagList { { RegistryTag, registry }, { MethodTag, method }, { StatusTag, status } };
            s_requests.Add(1, tags);
            s_requestDuration.Record(elapsed.TotalSeconds, tags);
        }
    }

    /// <summary>Counts a request that was not answered.</summary>
    public static void Unanswered(string registry, string method, RegistryError? error, TimeSpan elapsed)
    {
        if (s_requests.Enabled || s_requestDuration.Enabled)
        {
            var tags = new TagList { { RegistryTag, registry }, { MethodTag, method }, { ErrorTag, NameOf(error) } };
            s_requests.Add(1, tags);
            s_requestDuration.Record(elapsed.TotalSeconds, tags);
        }
    }

    public static void TokenRequested() => s_tokenRequests.Add(1);

    public static void Retried() => s_retries.Add(1);

    /// <summary>Counts an operation that failed for good.</summary>
    public static void Failed(string registry, RegistryError error)
    {
        if (s_errors.Enabled)
        {
            s_errors.Add(1, new TagList { { RegistryTag, registry }, { ErrorTag, NameOf(error) } });
        }
    }

    public static void Received(int bytes) => s_received.Add(bytes);

    public static void Sent(int bytes) => s_sent.Add(bytes);

    /// <summary>Records how long a fetch took; <paramref name="error"/> is null when it succeeded.</summary>
    public static void Fetched(TimeSpan elapsed, Exception? error)
    {
        if (!s_fetchDuration.Enabled)
        {
            return;
        }

        if (error is null)
        {
            s_fetchDuration.Record(elapsed.TotalSeconds);
        }
        else
        {
            string kind = error is RegistryException registry ? NameOf(registry.Error) : "other";
            s_fetchDuration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>(ErrorTag, kind));
        }
    }

    /// <summary>Begins the span of a request; null when nobody listens.</summary>
    public static Activity? StartRequest(HttpRequestMessage request)
    {
        Activity? activity = Activities.StartActivity("overlaybd.registry.request", ActivityKind.Client);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag(MethodTag, request.Method.Method);
            activity.SetTag(RegistryTag, request.RequestUri!.Host);
            activity.SetTag("server.port", request.RequestUri.Port);
            activity.SetTag("url.full", Redaction.Url(request.RequestUri));
        }

        return activity;
    }

    /// <summary>Ends the span of a request with what came of it.</summary>
    public static void End(Activity? activity, int? status, RegistryError? error)
    {
        if (activity is { IsAllDataRequested: true })
        {
            if (status is int code)
            {
                activity.SetTag(StatusTag, code);
            }
            else
            {
                activity.SetTag(ErrorTag, NameOf(error));
            }

            if (status is null or >= 400)
            {
                activity.SetStatus(ActivityStatusCode.Error);
            }
        }

        activity?.Dispose();
    }

    private static string NameOf(RegistryError? error) => error switch
    {
        RegistryError.NotFound => "not_found",
        RegistryError.Unauthorized => "unauthorized",
        RegistryError.Forbidden => "forbidden",
        RegistryError.TooManyRequests => "too_many_requests",
        RegistryError.Unavailable => "unavailable",
        RegistryError.Timeout => "timeout",
        RegistryError.Tls => "tls",
        RegistryError.Rejected => "rejected",
        RegistryError.UnexpectedResponse => "unexpected_response",
        RegistryError.Credentials => "credentials",
        _ => "abandoned",
    };
}
