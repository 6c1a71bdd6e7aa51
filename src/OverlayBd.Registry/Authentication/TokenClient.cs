// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Authentication;

/// <summary>Gets access tokens: by GET with Basic or without credentials, by POST (OAuth 2) with an identity token.</summary>
/// <remarks>distribution, docs/spec/auth/token.md and oauth.md. It makes one request; a failure is part of the caller's try.</remarks>
internal sealed class TokenClient(HttpSender sender, TimeProvider time, ILogger logger)
{
    private const int MaxResponseLength = 256 * 1024;
    private static readonly TimeSpan s_defaultLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_longestLifetime = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_earliestRenewal = TimeSpan.FromSeconds(60);

    public async ValueTask<AccessToken?> GetAsync(
        RegistryEndpoint endpoint, Uri realm, AuthenticationWay way, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        var purpose = new Purpose("get a token for", way.ScopeText, endpoint.Registry);
        HttpRequestMessage request = credential?.IdentityToken is string identityToken
            ? Exchange(realm, way, identityToken)
            : Ask(realm, way, credential);
        sender.Statistics.AddTokenRequest();
        using RegistryResponse response = await sender
            .SendAsync(endpoint.Client, request, sender.NewDeadline(), purpose, cancellationToken).ConfigureAwait(false);
        if (response.Status != HttpStatusCode.OK)
        {
            throw (int)response.Status is >= 300 and < 400
                ? ResponseError.Unexpected(response, "a token server may not send its clients elsewhere")
                : await ResponseError.ReadAsync(response, time, cancellationToken).ConfigureAwait(false);
        }

        byte[] content = await response.ReadUpToAsync(MaxResponseLength, cancellationToken).ConfigureAwait(false);
        TokenResponse? answer = Parse(content);
        string? token = string.IsNullOrEmpty(answer?.Token) ? answer?.AccessToken : answer.Token;
        if (string.IsNullOrEmpty(token) || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw ResponseError.Unexpected(response, "there is no token in it");
        }

        TimeSpan lifetime = answer!.ExpiresIn is double seconds && double.IsFinite(seconds)
            ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, s_longestLifetime.TotalSeconds))
            : s_defaultLifetime;
        RegistryLog.TokenReceived(logger, way.ScopeText, Redaction.Url(realm), lifetime);
        TimeSpan early = TimeSpan.FromTicks(Math.Min(lifetime.Ticks / 5, s_earliestRenewal.Ticks));
        return new AccessToken(new AuthenticationHeaderValue("Bearer", token), time.GetUtcNow() + lifetime - early);
    }

    private static HttpRequestMessage Ask(Uri realm, AuthenticationWay way, RegistryCredential? credential)
    {
        IEnumerable<string> parameters = way.Scopes.Select(scope => "scope=" + Uri.EscapeDataString(scope));
        if (!string.IsNullOrEmpty(way.Service))
        {
            parameters = parameters.Prepend("service=" + Uri.EscapeDataString(way.Service));
        }

        string query = string.Join('&', parameters);
        var url = new UriBuilder(realm) { Fragment = "" };
        url.Query = url.Query.Length > 1 ? $"{url.Query[1..]}&{query}" : query;
        var request = new HttpRequestMessage(HttpMethod.Get, url.Uri);
        if (credential is not null)
        {
            request.Headers.Authorization = Authenticator.BasicHeader(credential);
        }

        return request;
    }

    private static HttpRequestMessage Exchange(Uri realm, AuthenticationWay way, string identityToken)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["service"] = way.Service ?? "",
            ["client_id"] = "overlaybd-dotnet",
            ["scope"] = way.ScopeText,
            ["refresh_token"] = identityToken,
        };
        return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(form) };
    }

    private static TokenResponse? Parse(byte[] content)
    {
        try
        {
            return content.Length > MaxResponseLength
                ? null
                : JsonSerializer.Deserialize(content, AuthenticationJsonContext.Default.TokenResponse);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
