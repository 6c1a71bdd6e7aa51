// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Security.Authentication;

namespace OverlayBd.Registry.Http;

/// <summary>Turns what the network stack throws into a <see cref="RegistryException"/> that says what to do.</summary>
internal static class NetworkFailure
{
    public static RegistryException Translate(Exception error, Purpose purpose, Uri url)
    {
        string address = Redaction.Url(url);
        if (Find<AuthenticationException>(error) is AuthenticationException tls)
        {
            return new RegistryException(
                RegistryError.Tls,
                $"{purpose}: {address}: TLS failed: {Redaction.Clean(tls.Message, 300)} "
                + "Trust the registry's root certificate, or, for a registry without TLS, say that it is plain HTTP.",
                innerException: error);
        }

        return error switch
        {
            OperationCanceledException when Find<TimeoutException>(error) is not null => Unreachable(
                RegistryError.Timeout, $"{purpose}: {address}: no connection within the time limit.", error),
            OperationCanceledException => Transient(
                RegistryError.Timeout, $"{purpose}: {address}: no progress within the time limit.", error),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => Unreachable(
                RegistryError.Unavailable, $"{purpose}: {address}: the host's name is not known. Check its spelling and the name server.",
                error),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => Unreachable(
                RegistryError.Unavailable, $"{purpose}: {address}: no connection: {Reason(error)}.", error),
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded
            } => new RegistryException(
                RegistryError.UnexpectedResponse, $"{purpose}: {address}: the answer is not proper HTTP: {Reason(error)}.",
                innerException: error),
            _ => Transient(RegistryError.Unavailable, $"{purpose}: {address}: the connection broke: {Reason(error)}.", error),
        };
    }

    private static RegistryException Transient(RegistryError kind, string message, Exception error) =>
        new(kind, message, innerException: error) { IsTransient = true };

    private static RegistryException Unreachable(RegistryError kind, string message, Exception error) =>
        new(kind, message, innerException: error) { IsTransient = true, IsUnreachable = true };

    private static string Reason(Exception error)
    {
        SocketException? socket = Find<SocketException>(error);
        string text = socket?.Message ?? (error as HttpRequestException)?.HttpRequestError switch
        {
            null or HttpRequestError.Unknown => error.Message,
            HttpRequestError reason => reason.ToString(),
        };
        return Redaction.Clean(text, 200).TrimEnd('.');
    }

    private static T? Find<T>(Exception? error)
        where T : Exception
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is T found)
            {
                return found;
            }
        }

        return null;
    }
}
