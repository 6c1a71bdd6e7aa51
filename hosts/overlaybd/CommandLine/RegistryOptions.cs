// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.ControlApi;
using OverlayBd.Registries;
using OverlayBd.Registry;

namespace OverlayBd.Cli.CommandLine;

/// <summary>How to reach a registry: skopeo's options, for the verbs that talk to one.</summary>
internal static class RegistryOptions
{
    private static readonly Option<bool> s_plainHttp = new("--plain-http") { Description = "talk HTTP to the registry" };

    private static readonly Option<bool> s_tlsVerify = new("--tls-verify")
    {
        Description = "verify the registry's certificate",
        DefaultValueFactory = _ => true,
    };

    private static readonly Option<string?> s_certificateDirectory = new("--cert-dir")
    {
        Description = "certificates and keys (*.crt, *.cert, *.key) for the registry",
        HelpName = "DIR",
    };

    private static readonly Option<string?> s_authFile = new("--authfile")
    {
        Description = "credentials (docker's config.json)",
        HelpName = "FILE",
    };

    private static readonly Option<string?> s_hostsDirectory = new("--hosts-dir")
    {
        Description = "containerd's hosts.toml files (/etc/containerd/certs.d)",
        HelpName = "DIR",
    };

    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[s_plainHttp, s_tlsVerify, s_certificateDirectory, s_authFile, s_hostsDirectory])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The settings for a server, whose working directory is another one.</summary>
    public static RegistrySettings Bind(ParseResult parsed) => new()
    {
        PlainHttp = parsed.GetValue(s_plainHttp),
        TlsVerify = parsed.GetValue(s_tlsVerify),
        CertificateDirectory = Absolute(parsed.GetValue(s_certificateDirectory)),
        AuthFile = Absolute(parsed.GetValue(s_authFile)),
        HostsDirectory = Absolute(parsed.GetValue(s_hostsDirectory)),
    };

    /// <summary>A client of this process; the caller disposes it.</summary>
    public static RegistryClient CreateClient(ParseResult parsed, ILoggerFactory loggers) =>
        new(RegistryClientSettings.ToOptions(Bind(parsed)), loggers);

    private static string? Absolute(string? path) => path is null ? null : Path.GetFullPath(path);
}
