// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Distribution;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry;

/// <summary>Talks to OCI registries: one object for a process, with its connections, tokens and counters.</summary>
/// <remarks>Instances are safe for concurrent use. Repositories got from a client must not be used once it is disposed.</remarks>
public sealed class RegistryClient : IDisposable
{
    private readonly RegistryClientOptions _options;
    private readonly HttpClients _clients;
    private readonly Authenticator _authenticator;
    private readonly EndpointResolver _resolver;
    private readonly AuthorizedSender _sender;
    private readonly RetryPolicy _retries;
    private readonly ILogger _logger;
    private int _disposed;

    /// <summary>Makes a client. Nothing is read or asked yet.</summary>
    /// <param name="options">How registries are reached; copied.</param>
    /// <param name="loggerFactory">Where to log, or <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public RegistryClient(RegistryClientOptions options, ILoggerFactory? loggerFactory = null)
        : this(options, null, loggerFactory)
    {
    }

    /// <summary>Makes a client that sends through <paramref name="httpClient"/> where a registry needs no TLS settings of its
    /// own.</summary>
    /// <param name="options">How registries are reached; copied.</param>
    /// <param name="httpClient">
    /// The client, owned from now on. Its handler must neither follow redirects nor keep cookies nor unpack bodies, and its timeout must be
    /// infinite.
    /// </param>
    /// <param name="loggerFactory">Where to log, or <see langword="null"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public RegistryClient(RegistryClientOptions options, HttpClient? httpClient, ILoggerFactory? loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Copy();
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("OverlayBd.Registry");
        _clients = new HttpClients(_options, httpClient);
        _resolver = new EndpointResolver(_options, _clients, _logger);
        _retries = new RetryPolicy(_options, Statistics, _logger);
        var sender = new HttpSender(_options, Statistics, _logger);
        _authenticator = new Authenticator(
            new ConfiguredCredentials(_options), new TokenClient(sender, _options.TimeProvider, _logger), _options.TimeProvider);
        _sender = new AuthorizedSender(sender, _authenticator, _options.TimeProvider, _logger);
    }

    /// <summary>Gets what the client has done so far.</summary>
    public RegistryStatistics Statistics { get; } = new();

    /// <summary>Names a repository to read from or write to. Nothing is asked yet.</summary>
    /// <param name="reference">The image; its tag and digest do not matter here.</param>
    /// <returns>The repository; it needs no disposal before the client's.</returns>
    public ImageRepository GetRepository(ImageReference reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return new RegistryRepository(new RegistrySession(reference, _resolver, _sender, _retries, _logger), _options, Statistics);
    }

    /// <summary>Closes the connections. Requests under way fail. Calling it again does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _authenticator.Dispose();
        _clients.Dispose();
    }
}
