// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Registry;

/// <summary>Everything this library logs. Addresses have passed <see cref="Redaction.Url"/>.</summary>
internal static partial class RegistryLog
{
    [LoggerMessage(2001, LogLevel.Warning, "{Problem} Trying again in {Delay}.")]
    public static partial void Retrying(ILogger logger, string problem, TimeSpan delay);

    [LoggerMessage(2002, LogLevel.Debug, "Got a token for {Scope} from {Realm}, good for {Lifetime}.")]
    public static partial void TokenReceived(ILogger logger, string scope, string realm, TimeSpan lifetime);

    [LoggerMessage(2003, LogLevel.Debug, "{Source} leads to {Target}.")]
    public static partial void Redirected(ILogger logger, string source, string target);

    [LoggerMessage(2004, LogLevel.Warning, "The mirror {Mirror} failed, going on to the next server: {Problem}")]
    public static partial void MirrorFailed(ILogger logger, string mirror, string problem);

    [LoggerMessage(2005, LogLevel.Debug, "{Registry} is reached at {Address}.")]
    public static partial void EndpointResolved(ILogger logger, string registry, string address);

    [LoggerMessage(2006, LogLevel.Information, "Certificates of {Registry} are not verified.")]
    public static partial void CertificatesNotVerified(ILogger logger, string registry);

    [LoggerMessage(2007, LogLevel.Debug, "{Method} {Address} answered {Status}.")]
    public static partial void Answered(ILogger logger, string method, string address, int status);
}
