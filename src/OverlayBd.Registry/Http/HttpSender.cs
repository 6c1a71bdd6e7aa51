// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Http;

/// <summary>Sends one request and waits for the headers of its answer. It knows neither credentials nor redirects nor retries.</summary>
internal sealed class HttpSender(RegistryClientOptions options, RegistryStatistics statistics, ILogger logger)
{
    public RegistryStatistics Statistics => statistics;

    public TimeSpan StallTimeout => options.StallTimeout;

    public TimeSpan HeaderTimeout => options.HeaderTimeout;

    public Deadline NewDeadline() => new(options.HeaderTimeout, options.TimeProvider);

    /// <summary>Sends <paramref name="request"/>. It and <paramref name="deadline"/> are owned from now on.</summary>
    /// <exception cref="RegistryException">There was no answer.</exception>
    public async ValueTask<RegistryResponse> SendAsync(
        HttpClient client, HttpRequestMessage request, Deadline deadline, Purpose purpose, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration binding = deadline.Bind(cancellationToken);
        string method = request.Method.Method;
        Activity? activity = RegistryTelemetry.StartRequest(request);
        long started = options.TimeProvider.GetTimestamp();
        int? status = null;
        RegistryException? failure = null;
        try
        {
            request.Headers.UserAgent.TryParseAdd(options.UserAgent);
            statistics.AddRequest();
            HttpResponseMessage message = await client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            deadline.Stop();
            status = (int)message.StatusCode;
            if (logger.IsEnabled(LogLevel.Debug))
            {
                RegistryLog.Answered(logger, method, Redaction.Url(request.RequestUri), status.Value);
            }

            return new RegistryResponse(request, message, deadline, this, purpose);
        }
        catch (Exception error)
        {
            Uri url = request.RequestUri!;
            request.Dispose();
            deadline.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            if (Source(error) is Exception own)
            {
                ExceptionDispatchInfo.Throw(own);
            }

            if (error is HttpRequestException or IOException or OperationCanceledException)
            {
                failure = NetworkFailure.Translate(error, purpose, url);
                throw failure;
            }

            throw;
        }
        finally
        {
            binding.Dispose();
            Note(purpose, method, status, failure?.Error, options.TimeProvider.GetElapsedTime(started));
            RegistryTelemetry.End(activity, status, failure?.Error);
        }
    }

    private static void Note(Purpose purpose, string method, int? status, RegistryError? error, TimeSpan elapsed)
    {
        if (status is int answer)
        {
            RegistryTelemetry.Answered(purpose.Registry, method, answer, elapsed);
        }
        else
        {
            RegistryTelemetry.Unanswered(purpose.Registry, method, error, elapsed);
        }
    }

    /// <summary>What the content's own source threw, which the client may have wrapped; null when the network failed.</summary>
    private static Exception? Source(Exception error)
    {
        for (Exception? inner = error; inner is not null; inner = inner.InnerException)
        {
            if (inner is UploadSourceException source)
            {
                return source.InnerException;
            }
        }

        return null;
    }
}
