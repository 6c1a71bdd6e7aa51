// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OverlayBd.Registry;
using OverlayBd.Registry.Endpoints;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the registry client to an application's services.</summary>
public static class RegistryServiceCollectionExtensions
{
    /// <summary>The name of the HTTP client in <see cref="IHttpClientFactory"/>, to add handlers to.</summary>
    public const string HttpClientName = "OverlayBd.Registry";

    /// <summary>Adds one <see cref="RegistryClient"/> for the application.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets options, or <see langword="null"/> for the defaults.</param>
    /// <returns>The HTTP client's builder.</returns>
    public static IHttpClientBuilder AddOverlayBdRegistry(this IServiceCollection services, Action<RegistryClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = new RegistryClientOptions();
        configure?.Invoke(options);
        services.TryAddSingleton(provider => new RegistryClient(
            options,
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
            provider.GetService<ILoggerFactory>()));
        return services.AddHttpClient(HttpClientName, client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => HttpClients.CreateHandler(options, TlsSettings.Default))
            // One client lives as long as the application; its handler replaces connections by itself.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            // The factory's own loggers write addresses, and at Trace headers, without this library's redaction.
            .RemoveAllLoggers();
    }
}
