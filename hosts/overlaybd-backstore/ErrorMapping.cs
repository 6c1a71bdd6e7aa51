// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using OverlayBd.ControlApi;
using OverlayBd.Daemons;
using OverlayBd.Registry;

namespace OverlayBd.Backstore;

/// <summary>The one table from exceptions to what the caller is told.</summary>
internal static class ErrorMapping
{
    public static ErrorDetail ToDetail(Exception exception)
    {
        List<string> causes = [];
        for (Exception? cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            causes.Add(cause.Message);
        }

        return new(CodeOf(exception), exception.Message, causes.Count > 0 ? causes : null);
    }

    private static string CodeOf(Exception exception) => exception switch
    {
        RequestException request => request.Code,
        SocketInUseException => ErrorCodes.Busy,
        FormatException or ArgumentException or JsonException or BadHttpRequestException => ErrorCodes.InvalidRequest,
        RegistryException { StatusCode: System.Net.HttpStatusCode.NotFound } => ErrorCodes.NotFound,
        RegistryException => ErrorCodes.Registry,
        IOException { InnerException: RegistryException cause } => CodeOf(cause),
        FileNotFoundException or DirectoryNotFoundException => ErrorCodes.NotFound,
        InvalidDataException or EndOfStreamException => ErrorCodes.BadImage,
        _ => ErrorCodes.System,
    };
}
