// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace OverlayBd.Registry.Http;

/// <summary>An answer whose headers are in and whose body is read on demand, each read within the stall limit.</summary>
internal sealed class RegistryResponse : IDisposable
{
    private readonly HttpResponseMessage _message;
    private readonly HttpRequestMessage _request;
    private readonly Deadline _deadline;
    private readonly HttpSender _sender;
    private Stream? _body;

    public RegistryResponse(HttpRequestMessage request, HttpResponseMessage message, Deadline deadline, HttpSender sender, Purpose purpose)
    {
        _request = request;
        _message = message;
        _deadline = deadline;
        _sender = sender;
        Purpose = purpose;
        Url = request.RequestUri!;
    }

    /// <summary>The address that answered, after redirects.</summary>
    public Uri Url { get; }

    public Purpose Purpose { get; }

    public HttpMethod Method => _request.Method;

    public HttpStatusCode Status => _message.StatusCode;

    public string? Reason => _message.ReasonPhrase;

    public System.Net.Http.Headers.HttpResponseHeaders Headers => _message.Headers;

    public System.Net.Http.Headers.HttpContentHeaders ContentHeaders => _message.Content.Headers;

    /// <summary>The first value of a header that the framework does not parse, or null.</summary>
    public string? Header(string name) =>
        _message.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    /// <summary>Reads some of the body straight into <paramref name="buffer"/>; 0 at its end.</summary>
    /// <exception cref="RegistryException">The connection broke or stalled; transient.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _deadline.Restart(_sender.StallTimeout);
        CancellationTokenRegistration binding = _deadline.Bind(cancellationToken);
        try
        {
            _body ??= await _message.Content.ReadAsStreamAsync(_deadline.Token).ConfigureAwait(false);
            int count = await _body.ReadAsync(buffer, _deadline.Token).ConfigureAwait(false);
            _sender.Statistics.AddReceived(count);
            return count;
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw NetworkFailure.Translate(error, Purpose, Url);
        }
        finally
        {
            binding.Dispose();
            _deadline.Stop();
        }
    }

    /// <summary>Reads the rest of the body, up to <paramref name="limit"/> bytes and one more, which tells that there is more.</summary>
    public async ValueTask<byte[]> ReadUpToAsync(int limit, CancellationToken cancellationToken)
    {
        long expected = ContentHeaders.ContentLength ?? 4096;
        byte[] buffer = new byte[(int)Math.Clamp(expected + 1, 1, Math.Min((long)limit + 1, 1 << 20))];
        int length = 0;
        while (length <= limit)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min((long)limit + 1, buffer.Length * 2L));
            }

            int count = await ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                break;
            }

            length += count;
        }

        return buffer.Length == length ? buffer : buffer[..length];
    }

    public void Dispose()
    {
        _body?.Dispose();
        _message.Dispose();
        _request.Dispose();
        _deadline.Dispose();
    }
}
