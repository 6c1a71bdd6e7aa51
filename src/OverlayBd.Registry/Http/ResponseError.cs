// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using System.Text.Json;

namespace OverlayBd.Registry.Http;

/// <summary>Turns an answer that is none of the expected ones into a <see cref="RegistryException"/>.</summary>
internal static class ResponseError
{
    private const int MaxBodyLength = 8 * 1024;
    private const int MaxTextLength = 300;

    /// <summary>Reads what the registry says and makes the exception. The answer is still to be disposed.</summary>
    public static async ValueTask<RegistryException> ReadAsync(
        RegistryResponse response, TimeProvider time, CancellationToken cancellationToken)
    {
        string said = "";
        try
        {
            byte[] body = await response.ReadUpToAsync(MaxBodyLength, cancellationToken).ConfigureAwait(false);
            said = Explain(body);
        }
        catch (RegistryException)
        {
            // The status is enough when the body does not come.
        }

        (RegistryError error, bool transient, string advice) = Classify(response.Status);
        string message = $"{response.Purpose}: {Redaction.Url(response.Url)} answered {(int)response.Status} "
            + $"{Redaction.Clean(response.Reason, 60)}{(said.Length == 0 ? "" : $" ({said})")}.{advice}";
        return new RegistryException(error, message, response.Status)
        {
            IsTransient = transient,
            RetryAfter = transient ? RetryAfter(response, time) : null,
        };
    }

    /// <summary>Makes the exception for an answer that says success and is nevertheless not what was asked for.</summary>
    public static RegistryException Unexpected(RegistryResponse response, string problem, bool transient = false) =>
        new(
            RegistryError.UnexpectedResponse,
            $"{response.Purpose}: {Redaction.Url(response.Url)} answered {(int)response.Status}, but {problem}.",
            response.Status)
        {
            IsTransient = transient,
        };

    private static (RegistryError Error, bool Transient, string Advice) Classify(HttpStatusCode status) => (int)status switch
    {
        401 => (RegistryError.Unauthorized, false, " Log in to the registry, or give other credentials."),
        403 => (RegistryError.Forbidden, false, " The account may not do this."),
        404 => (RegistryError.NotFound, false, " Check the repository and the tag or digest."),
        408 => (RegistryError.Timeout, true, ""),
        429 => (RegistryError.TooManyRequests, true, " The registry limits the rate of requests; try again later, or log in."),
        >= 500 and <= 599 => (RegistryError.Unavailable, true, ""),
        >= 400 and <= 499 => (RegistryError.Rejected, false, ""),
        _ => (RegistryError.UnexpectedResponse, false, ""),
    };

    private static TimeSpan? RetryAfter(RegistryResponse response, TimeProvider time) => response.Headers.RetryAfter switch
    {
        { Delta: TimeSpan delay } => delay,
        { Date: DateTimeOffset date } => date - time.GetUtcNow(),
        _ => null,
    };

    /// <summary>The code and message of the registry's JSON errors, else the first line of text; nothing of an HTML page.</summary>
    private static string Explain(byte[] body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 16 });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("errors", out JsonElement errors)
                && errors.ValueKind == JsonValueKind.Array)
            {
                IEnumerable<string> parts = errors.EnumerateArray()
                    .Take(3)
                    .Where(item => item.ValueKind == JsonValueKind.Object)
                    .Select(item => string.Join(": ", new[] { Text(item, "code"), Text(item, "message") }.Where(text => text.Length > 0)));
                return Redaction.Clean(string.Join("; ", parts), MaxTextLength);
            }

            return "";
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            string text = Encoding.UTF8.GetString(body).Trim();
            return text.StartsWith('<') || text.StartsWith('{') ? "" : Redaction.Clean(text.Split('\n')[0].Trim(), MaxTextLength);
        }
    }

    private static string Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
