// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Containerd;
using OverlayBd.Cli.Serving;
using OverlayBd.Registry;

namespace OverlayBd.Cli.CommandLine;

/// <summary>What a failure says in the last line on standard error.</summary>
internal static class FailureText
{
    public static string Describe(Exception exception)
    {
        string message = string.Join(": ", Messages(exception)).ReplaceLineEndings(" ");
        return AdviceFor(exception) is { } advice ? $"{message} Try: {advice}" : message;
    }

    private static IEnumerable<string> Messages(Exception exception)
    {
        yield return exception.Message;
        for (Exception? cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (!exception.Message.Contains(cause.Message, StringComparison.Ordinal))
            {
                yield return cause.Message;
            }
        }
    }

    private static string? AdviceFor(Exception exception) => exception switch
    {
        CommandException command => command.Advice,
        BackstoreException backstore => backstore.Advice,
        ContainerdException containerd => containerd.Advice,
        RegistryException { Error: RegistryError.Unauthorized or RegistryError.Credentials } =>
            "log in to the registry (skopeo login), or name the credentials with --authfile.",
        RegistryException { Error: RegistryError.Tls } => "--cert-dir with the registry's certificate, or --plain-http if it has none.",
        RegistryException { Error: RegistryError.NotFound } => "check the name and the tag (skopeo list-tags).",
        UnauthorizedAccessException => "run it as root.",
        _ => null,
    };
}
