// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Authentication;

/// <summary>Answers the challenges of registries, and remembers the answers so that most requests are never challenged.</summary>
/// <remarks>Of all requests that need the same token at the same time one fetches it; the others wait for that.</remarks>
internal sealed class Authenticator : IDisposable
{
    private const int MaxRememberedTokens = 1024;
    private static readonly TimeSpan s_basicLifetime = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<(Uri Root, TokenScope Scope), AuthenticationWay> _ways = new();
    private readonly Dictionary<TokenKey, Task<AccessToken?>> _tokens = [];
    private readonly Lock _lock = new(); // guards _tokens
    private readonly CancellationTokenSource _stopping = new();
    private readonly ICredentialProvider _credentials;
    private readonly TokenClient _tokenClient;
    private readonly TimeProvider _time;

    public Authenticator(ICredentialProvider credentials, TokenClient tokenClient, TimeProvider time)
    {
        _credentials = credentials;
        _tokenClient = tokenClient;
        _time = time;
    }

    /// <summary>The authorization that the server is known to want, or null when it has not asked for any yet.</summary>
    public ValueTask<AuthenticationHeaderValue?> GetAsync(
        RegistryEndpoint endpoint, TokenScope scope, CancellationToken cancellationToken) =>
        _ways.TryGetValue((endpoint.Root, scope), out AuthenticationWay? way)
            ? GetTokenAsync(endpoint, scope, way, null, cancellationToken)
            : default;

    /// <summary>Answers a 401.</summary>
    /// <param name="endpoint">The server.</param>
    /// <param name="scope">What the request needs.</param>
    /// <param name="response">The server's answer.</param>
    /// <param name="rejected">The authorization that the request carried and that is now known to be no good, or null.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The authorization to try next, or null when there are no credentials that the server would take.</returns>
    /// <exception cref="RegistryException">The challenge cannot be answered, or the token server refuses.</exception>
    public async ValueTask<AuthenticationHeaderValue?> AnswerAsync(
        RegistryEndpoint endpoint,
        TokenScope scope,
        RegistryResponse response,
        AuthenticationHeaderValue? rejected,
        CancellationToken cancellationToken)
    {
        AuthenticationWay way = Choose(endpoint, scope, response);
        _ways[(endpoint.Root, scope)] = way;
        return await GetTokenAsync(endpoint, scope, way, rejected, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private static AuthenticationWay Choose(RegistryEndpoint endpoint, TokenScope scope, RegistryResponse response)
    {
        IReadOnlyList<Challenge> challenges = ChallengeParser.Parse(
            response.Headers.TryGetValues("WWW-Authenticate", out IEnumerable<string>? values) ? values : []);
        Challenge? bearer = challenges.FirstOrDefault(challenge => challenge.IsBearer);
        if (bearer is not null)
        {
            if (!Uri.TryCreate(bearer.Realm, UriKind.Absolute, out Uri? realm)
                || (realm.Scheme != Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttp))
            {
                throw ResponseError.Unexpected(response, "its Bearer challenge names no address to get a token from");
            }

            if (endpoint.Root.Scheme == Uri.UriSchemeHttps && realm.Scheme != Uri.UriSchemeHttps)
            {
                throw ResponseError.Unexpected(
                    response, $"it wants credentials sent without TLS, to {Redaction.Url(realm)}; that is refused");
            }

            return new AuthenticationWay(realm, bearer.Service, scope.Merge(bearer.Scope));
        }

        if (challenges.Any(challenge => challenge.IsBasic))
        {
            return new AuthenticationWay(null, null, [.. scope.ToScopes()]);
        }

        string schemes = string.Join(", ", challenges.Select(challenge => challenge.Scheme));
        throw ResponseError.Unexpected(
            response,
            schemes.Length == 0
                ? "it does not say how to authenticate (no WWW-Authenticate header)"
                : $"it wants authentication by {Redaction.Clean(schemes, 100)}; Basic and Bearer are supported");
    }

    private async ValueTask<AuthenticationHeaderValue?> GetTokenAsync(
        RegistryEndpoint endpoint, TokenScope scope, AuthenticationWay way, AuthenticationHeaderValue? rejected,
        CancellationToken cancellationToken)
    {
        var key = new TokenKey(endpoint.Registry, scope.Repository, way.Realm?.AbsoluteUri ?? "", way.Service ?? "", way.ScopeText);
        TaskCompletionSource<AccessToken?>? fetch = null;
        Task<AccessToken?>? token;
        lock (_lock)
        {
            if (!_tokens.TryGetValue(key, out token) || !IsGood(token, rejected))
            {
                Prune();
                fetch = new TaskCompletionSource<AccessToken?>(TaskCreationOptions.RunContinuationsAsynchronously);
                _tokens[key] = token = fetch.Task;
            }
        }

        if (fetch is not null)
        {
            // Not awaited here: the caller may leave while others wait for the same token.
            _ = FetchAsync(fetch, endpoint, scope, way);
        }

        AccessToken? result = await token.WaitAsync(cancellationToken).ConfigureAwait(false);
        return result?.Header;
    }

    private bool IsGood(Task<AccessToken?> token, AuthenticationHeaderValue? rejected) =>
        !token.IsCompleted
        || (token.IsCompletedSuccessfully
            && token.Result is AccessToken known
            && known.RenewAt > _time.GetUtcNow()
            && !ReferenceEquals(known.Header, rejected));

    private void Prune()
    {
        if (_tokens.Count >= MaxRememberedTokens)
        {
            foreach (TokenKey key in _tokens.Where(pair => !IsGood(pair.Value, null)).Select(pair => pair.Key).ToArray())
            {
                _tokens.Remove(key);
            }
        }
    }

    private async Task FetchAsync(
        TaskCompletionSource<AccessToken?> fetch, RegistryEndpoint endpoint, TokenScope scope, AuthenticationWay way)
    {
        try
        {
            RegistryCredential? credential = await _credentials
                .GetCredentialAsync(endpoint.Registry, scope.Repository, _stopping.Token).ConfigureAwait(false);
            fetch.SetResult(way.Realm is null
                ? Basic(credential, endpoint)
                : await _tokenClient.GetAsync(endpoint, way.Realm, way, credential, _stopping.Token).ConfigureAwait(false));
        }
        catch (Exception error)
        {
            // Handed to everybody who waits; the next one to ask fetches again.
            fetch.SetException(error);
        }
    }

    private AccessToken? Basic(RegistryCredential? credential, RegistryEndpoint endpoint)
    {
        if (credential is null)
        {
            return null;
        }

        if (credential.IdentityToken is not null)
        {
            throw new RegistryException(
                RegistryError.Unauthorized,
                $"{endpoint.Registry} wants a user and a password, but the credentials hold an identity token. Log in with user and "
                + "password.",
                HttpStatusCode.Unauthorized);
        }

        return new AccessToken(BasicHeader(credential), _time.GetUtcNow() + s_basicLifetime);
    }

    internal static AuthenticationHeaderValue BasicHeader(RegistryCredential credential) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}")));
}
