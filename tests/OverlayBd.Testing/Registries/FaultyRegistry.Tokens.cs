// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Microsoft.AspNetCore.Http;

namespace OverlayBd.Testing.Registries;

public sealed partial class FaultyRegistry
{
    private string BasicValue => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.UserName}:{_options.Password}"));

    private bool IsAuthorized(RecordedRequest request) => _options.Authentication switch
    {
        FaultyRegistryAuthentication.Basic => request.Authorization == BasicValue,
        FaultyRegistryAuthentication.Bearer => request.Authorization is string value
            && value.StartsWith("Bearer ", StringComparison.Ordinal) && _tokens.GetValueOrDefault(value["Bearer ".Length..]),
        _ => true,
    };

    private string Challenge(RecordedRequest request)
    {
        string realm = $"{Address}/token";
        if (_options.Challenge is not null)
        {
            return _options.Challenge.Replace("{realm}", realm, StringComparison.Ordinal);
        }

        string repository = request.Path.StartsWith("/v2/", StringComparison.Ordinal) && request.Path.Length > 4
            ? request.Path[4..].Split("/blobs/")[0].Split("/manifests/")[0]
            : "";
        return _options.Authentication == FaultyRegistryAuthentication.Basic
            ? "Basic realm=\"tests\""
            : $"Bearer realm=\"{realm}\",service=\"faulty\",scope=\"repository:{repository}:{(request.Method is "GET" or "HEAD" ? "pull" : "pull,push")}\"";
    }

    private async Task AnswerTokenAsync(HttpContext context)
    {
        bool allowed;
        if (context.Request.Method == "POST")
        {
            IFormCollection form = await context.Request.ReadFormAsync();
            allowed = _options.IdentityToken is not null && form["refresh_token"] == _options.IdentityToken
                && form["grant_type"] == "refresh_token";
        }
        else
        {
            allowed = _options.IdentityToken is null
                && (_options.UserName is null || context.Request.Headers.Authorization.ToString() == BasicValue);
        }

        if (!allowed)
        {
            context.Response.StatusCode = 401;
            await WriteErrorAsync(context, "UNAUTHORIZED", "incorrect username or password");
            return;
        }

        string token = "token-" + Guid.NewGuid().ToString("N");
        _tokens[token] = true;
        string lifetime = _options.TokenLifetime is int seconds ? $",\"expires_in\":{seconds}" : "";
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($"{{\"access_token\":\"{token}\"{lifetime}}}");
    }
}
