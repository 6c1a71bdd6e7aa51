// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;

namespace OverlayBd.Registry.Authentication;

/// <summary>Credentials of a docker <c>config.json</c>, containers' <c>auth.json</c> or upstream's <c>cred.json</c>.</summary>
/// <remarks>
/// The entry with the longest matching name wins, <c>host/team/app</c> before <c>host/team</c> before <c>host</c>. For the host itself its
/// helper comes first, then what the file holds, then the store. The file is read again whenever it has changed.
/// </remarks>
internal sealed class AuthFileCredentials(string path, CredentialHelper helper) : ICredentialProvider
{
    private const int MaxLength = 4 * 1024 * 1024;
    private const string DockerHubServer = "https://index.docker.io/v1/";

    private readonly Lock _lock = new(); // guards the two fields below
    private (DateTime Written, long Length) _stamp;
    private AuthFileDocument? _document;

    public ValueTask<RegistryCredential?> GetCredentialAsync(string registry, string repository, CancellationToken cancellationToken = default) =>
        FindAsync(Load(), registry, repository, cancellationToken);

    /// <summary>Finds the entry of a document that was read.</summary>
    public async ValueTask<RegistryCredential?> FindAsync(
        AuthFileDocument document, string registry, string repository, CancellationToken cancellationToken)
    {
        Dictionary<string, AuthFileEntry?> entries = Normalize(document.Auths);
        for (string name = $"{registry}/{repository}"; name.Length > registry.Length; name = name[..name.LastIndexOf('/')])
        {
            if (entries.TryGetValue(name, out AuthFileEntry? entry) && Read(entry, name) is RegistryCredential credential)
            {
                return credential;
            }
        }

        string server = registry == ImageReference.DefaultRegistry ? DockerHubServer : registry;
        string? named = null;
        foreach (KeyValuePair<string, string?> pair in document.CredentialHelpers ?? [])
        {
            named = Normalize(pair.Key) == registry ? pair.Value : named;
        }

        if (!string.IsNullOrEmpty(named))
        {
            return await helper.GetAsync(named, server, cancellationToken).ConfigureAwait(false);
        }

        if (entries.TryGetValue(registry, out AuthFileEntry? own) && Read(own, registry) is RegistryCredential found)
        {
            return found;
        }

        return string.IsNullOrEmpty(document.CredentialStore)
            ? null
            : await helper.GetAsync(document.CredentialStore, server, cancellationToken).ConfigureAwait(false);
    }

    private static Dictionary<string, AuthFileEntry?> Normalize(Dictionary<string, AuthFileEntry?>? entries)
    {
        var normalized = new Dictionary<string, AuthFileEntry?>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, AuthFileEntry?> pair in entries ?? [])
        {
            normalized[Normalize(pair.Key)] = pair.Value;
        }

        return normalized;
    }

    /// <summary>Strips what old clients wrote around the host, and gives Docker Hub its one name.</summary>
    private static string Normalize(string key)
    {
        string name = key;
        int scheme = name.IndexOf("://", StringComparison.Ordinal);
        name = scheme < 0 ? name : name[(scheme + 3)..];
        name = name.TrimEnd('/');
        if (name.EndsWith("/v1", StringComparison.Ordinal) || name.EndsWith("/v2", StringComparison.Ordinal))
        {
            name = name[..^3];
        }

        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? name : name[..slash];
        return host is "index.docker.io" or "registry-1.docker.io" ? ImageReference.DefaultRegistry + name[host.Length..] : name;
    }

    private RegistryCredential? Read(AuthFileEntry? entry, string name)
    {
        if (entry is null)
        {
            return null;
        }

        string userName = entry.UserName ?? "";
        string password = entry.Password ?? "";
        if (!string.IsNullOrEmpty(entry.Auth))
        {
            byte[] decoded = new byte[entry.Auth.Length];
            if (!Convert.TryFromBase64String(entry.Auth, decoded, out int length))
            {
                throw Malformed($"the auth of {Redaction.Clean(name, 200)} is not base64");
            }

            string pair = Encoding.UTF8.GetString(decoded, 0, length).TrimEnd('\0');
            int colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                throw Malformed($"the auth of {Redaction.Clean(name, 200)} does not hold user:password");
            }

            userName = pair[..colon];
            password = pair[(colon + 1)..];
        }

        if (!string.IsNullOrEmpty(entry.IdentityToken))
        {
            return RegistryCredential.FromIdentityToken(entry.IdentityToken, userName);
        }

        return userName.Length == 0 ? null : new RegistryCredential(userName, password);
    }

    private AuthFileDocument Load()
    {
        try
        {
            var file = new FileInfo(path);
            (DateTime, long) stamp = (file.LastWriteTimeUtc, file.Length);
            lock (_lock)
            {
                if (_document is not null && stamp == _stamp)
                {
                    return _document;
                }
            }

            if (file.Length > MaxLength)
            {
                throw Malformed($"it has {file.Length} bytes, at most {MaxLength} are read");
            }

            byte[] content = File.ReadAllBytes(path);
            AuthFileDocument document = JsonSerializer.Deserialize(content, AuthenticationJsonContext.Default.AuthFileDocument) ?? new();
            lock (_lock)
            {
                (_stamp, _document) = (stamp, document);
            }

            return document;
        }
        catch (JsonException error)
        {
            // Not the parser's own words: they may quote what is a secret.
            throw Malformed($"it is not proper JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine}");
        }
        catch (Exception error) when (error is IOException and not RegistryException or UnauthorizedAccessException)
        {
            throw new RegistryException(
                RegistryError.Credentials, $"The credentials in {path} cannot be read: {error.Message}", innerException: error);
        }
    }

    private RegistryException Malformed(string problem) =>
        new(RegistryError.Credentials, $"The credentials in {path} cannot be used: {problem}.");
}
