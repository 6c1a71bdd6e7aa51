// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Registries;
using OverlayBd.Registry;
using OverlayBd.Registry.Authentication;

namespace OverlayBd.Cli.Containerd;

/// <summary>How to reach a registry in the words of ctr, beside those of the other verbs.</summary>
internal static class PullRegistryOptions
{
    private static readonly Option<bool> s_skipVerify = new("--skip-verify", "-k") { Description = "as --tls-verify=false" };

    private static readonly Option<string?> s_user = new("--user", "-u")
    {
        Description = "user for the registry; the password is asked for when it is not given",
        HelpName = "USER[:PASSWORD]",
    };

    private static readonly Option<string?> s_refresh = new("--refresh")
    {
        Description = "refresh token for the authorization server",
        HelpName = "TOKEN",
    };

    private static readonly Option<FileInfo?> s_authority = new("--tlscacert")
    {
        Description = "root certificate to trust",
        HelpName = "FILE",
    };

    private static readonly Option<FileInfo?> s_certificate = new("--tlscert") { Description = "client certificate", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_key = new("--tlskey") { Description = "key of the client certificate", HelpName = "FILE" };
    private static readonly Option<bool> s_dump = new("--http-dump") { Description = "tell the requests to the registry, without secrets" };
    private static readonly Option<bool> s_trace = new("--http-trace") { Description = "as --http-dump" };

    public static void AddTo(Command command)
    {
        RegistryOptions.AddTo(command);
        foreach (Option option in (Option[])[s_skipVerify, s_user, s_refresh, s_authority, s_certificate, s_key, s_dump, s_trace])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Whether the requests are to be told.</summary>
    public static bool IsVerbose(ParseResult parsed) =>
        parsed.GetValue(CommonOptions.Verbose) || parsed.GetValue(s_dump) || parsed.GetValue(s_trace);

    /// <summary>The files of a client certificate and of a root; none when no option names one.</summary>
    /// <exception cref="UsageException">A certificate without its key, or a key without its certificate.</exception>
    public static CertificateFolder? Certificates(ParseResult parsed)
    {
        FileInfo? certificate = parsed.GetValue(s_certificate);
        FileInfo? key = parsed.GetValue(s_key);
        return certificate is null != key is null
            ? throw new UsageException("--tlscert and --tlskey go together.")
            : CertificateFolder.Create(parsed.GetValue(s_authority), certificate, key);
    }

    public static RegistryClientOptions Bind(ParseResult parsed, CertificateFolder? certificates)
    {
        RegistryClientOptions options = RegistryClientSettings.ToOptions(RegistryOptions.Bind(parsed));
        options.TlsVerify &= !parsed.GetValue(s_skipVerify);
        options.CertDirectory = certificates?.Path ?? options.CertDirectory;
        if (parsed.GetValue(s_refresh) is { Length: > 0 } token)
        {
            options.CredentialProvider = new FixedCredential(RegistryCredential.FromIdentityToken(token));
        }
        else if (parsed.GetValue(s_user) is { Length: > 0 } user)
        {
            int colon = user.IndexOf(':', StringComparison.Ordinal);
            options.UserName = colon < 0 ? user : user[..colon];
            options.Password = colon < 0 ? PasswordPrompt.Ask(options.UserName) : user[(colon + 1)..];
        }

        return options;
    }

    private sealed class FixedCredential(RegistryCredential credential) : ICredentialProvider
    {
        public ValueTask<RegistryCredential?> GetCredentialAsync(
            string registry, string repository, CancellationToken cancellationToken = default) => new(credential);
    }
}
