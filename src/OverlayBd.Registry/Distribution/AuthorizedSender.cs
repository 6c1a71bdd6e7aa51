// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>Sends a request to one server of a registry, answers its challenges and follows its redirects: one try of an
/// operation.</summary>
internal sealed class AuthorizedSender(HttpSender sender, Authenticator authenticator, TimeProvider time, ILogger logger)
{
    private const int MaxRedirects = 8;

    /// <summary>Sends until there is an answer that is neither a redirect to follow nor a challenge that can be answered.</summary>
    /// <returns>The answer, whatever its status but 401; to be disposed.</returns>
    /// <exception cref="RegistryException">There is no answer, or the server refuses the credentials.</exception>
    public async ValueTask<RegistryResponse> SendAsync(
        RegistryEndpoint endpoint, RegistryRequest request, CancellationToken cancellationToken)
    {
        AuthenticationHeaderValue? authorization = null;
        bool asked = false;
        bool renewed = false;
        Uri url = request.Target ?? endpoint.UrlOf(request.Path);
        for (int redirects = 0; ;)
        {
            bool own = endpoint.IsAt(url);
            if (own && !asked)
            {
                asked = true;
                authorization = await authenticator.GetAsync(endpoint, request.Scope, cancellationToken).ConfigureAwait(false);
            }

            RegistryResponse response = await SendOnceAsync(endpoint, request, url, own ? authorization : null, cancellationToken)
                .ConfigureAwait(false);
            bool keep = false;
            try
            {
                if (response.Status == HttpStatusCode.Unauthorized && own)
                {
                    bool first = authorization is null;
                    if (!first && renewed)
                    {
                        throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
                    }

                    renewed |= !first;
                    AuthenticationHeaderValue? answer = await authenticator
                        .AnswerAsync(endpoint, request.Scope, response, authorization, cancellationToken).ConfigureAwait(false);
                    if (answer is null)
                    {
                        throw await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
                    }

                    authorization = answer;
                    if (!request.ContentIsReplayable)
                    {
                        throw await StartAnewAsync(response, cancellationToken).ConfigureAwait(false);
                    }
                }
                else if (IsRedirect(response, request))
                {
                    if (++redirects > MaxRedirects)
                    {
                        throw ResponseError.Unexpected(
                            response, $"that is the {redirects}th redirect in a row; at most {MaxRedirects} are followed");
                    }

                    Uri target = Target(response);
                    RegistryLog.Redirected(logger, Redaction.Url(url), Redaction.Url(target));
                    url = target;
                }
                else
                {
                    keep = true;
                    return response;
                }
            }
            finally
            {
                if (!keep)
                {
                    response.Dispose();
                }
            }
        }
    }

    /// <summary>Makes the exception for an answer that is none of the expected ones.</summary>
    public ValueTask<RegistryException> FailureAsync(RegistryResponse response, CancellationToken cancellationToken) =>
        ResponseError.ReadAsync(response, time, cancellationToken);

    /// <summary>Resolves the address an answer leads to, and refuses one that would give up TLS.</summary>
    public static Uri Target(RegistryResponse response)
    {
        string? location = response.Header("Location");
        if (string.IsNullOrEmpty(location) || !Uri.TryCreate(response.Url, location, out Uri? target)
            || (target.Scheme != Uri.UriSchemeHttp && target.Scheme != Uri.UriSchemeHttps))
        {
            throw ResponseError.Unexpected(response, "it does not say where to go on (no usable Location header)");
        }

        if (response.Url.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps)
        {
            throw ResponseError.Unexpected(response, $"it leads from https to {Redaction.Url(target)}, without TLS; that is refused");
        }

        // User info in a Location would become credentials that nobody gave.
        return target.UserInfo.Length == 0 ? target : new UriBuilder(target) { UserName = "", Password = "" }.Uri;
    }

    private static bool IsRedirect(RegistryResponse response, RegistryRequest request) => (int)response.Status switch
    {
        301 or 302 or 303 => request.Method == HttpMethod.Get || request.Method == HttpMethod.Head,
        307 or 308 => request.ContentIsReplayable,
        _ => false,
    };

    private async ValueTask<RegistryResponse> SendOnceAsync(
        RegistryEndpoint endpoint, RegistryRequest request, Uri url, AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken)
    {
        Deadline deadline = sender.NewDeadline();
        HttpRequestMessage message = request.ToMessage(url, deadline);
        message.Headers.Authorization = authorization;
        if (endpoint.IsAt(url))
        {
            foreach (KeyValuePair<string, string> header in endpoint.Headers)
            {
                message.Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        return await sender.SendAsync(endpoint.Client, message, deadline, request.Purpose, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask<RegistryException> RefusalAsync(RegistryResponse response, CancellationToken cancellationToken) =>
        ResponseError.ReadAsync(response, time, cancellationToken);

    /// <summary>The token is renewed, but the body is gone: the next try makes it again, at once.</summary>
    private async ValueTask<RegistryException> StartAnewAsync(RegistryResponse response, CancellationToken cancellationToken)
    {
        RegistryException refusal = await RefusalAsync(response, cancellationToken).ConfigureAwait(false);
        return new RegistryException(refusal.Error, refusal.Message, refusal.StatusCode) { IsTransient = true, RetryAfter = TimeSpan.Zero };
    }
}
