// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace OverlayBd.Registry.Authentication;

/// <summary>A service on this machine or another that knows credentials (overlaybd <c>src/image_service.cpp</c>, the modes http, https and uds).</summary>
/// <remarks>It is asked whenever a token is fetched. A service that knows nothing of a repository says so, and the repository is asked
/// without credentials; one that cannot be asked is an error, unlike with the original, which then hides why a pull is refused.</remarks>
public sealed class CredentialService : ICredentialProvider, IDisposable
{
    private const int MaxReplyLength = 1024 * 1024;

    private readonly Uri _address;
    private readonly string _name;
    private readonly HttpClient _http;
    private readonly AuthFileCredentials _lookUp;

    /// <summary>Makes the client of a service; nothing is asked yet.</summary>
    /// <param name="options">Where it is.</param>
    /// <exception cref="RegistryException">A certificate cannot be read (<see cref="RegistryError.Credentials"/>).</exception>
    public CredentialService(CredentialServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _address = options.Address;
        _name = options.Socket ?? Redaction.Clean(options.Address.GetLeftPart(UriPartial.Path), 200);
        _lookUp = new AuthFileCredentials(_name, new CredentialHelper(TimeProvider.System, CredentialHelper.DefaultLimit));
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = options.Socket is null, UseCookies = false };
        if (options.Socket is string socket)
        {
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(socket, cancellationToken);
        }

        try
        {
            handler.SslOptions = CreateTls(options);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            handler.Dispose();
            throw Failure($"a certificate cannot be read: {error.Message}", error);
        }

        _http = new HttpClient(handler) { Timeout = options.Timeout, MaxResponseContentBufferSize = MaxReplyLength };
    }

    /// <inheritdoc/>
    public async ValueTask<RegistryCredential?> GetCredentialAsync(
        string registry, string repository, CancellationToken cancellationToken = default)
    {
        string host = registry == ImageReference.DefaultRegistry ? "registry-1.docker.io" : registry;
        string separator = _address.Query.Length == 0 ? "?" : "&";
        var address = new Uri($"{_address.OriginalString}{separator}remote_url={Uri.EscapeDataString($"https://{host}/v2/{repository}/blobs")}");
        byte[] content;
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(address, cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is >= 400 and < 500)
            {
                return null;
            }

            content = response.IsSuccessStatusCode
                ? await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)
                : throw Failure($"it answered {(int)response.StatusCode}");
        }
        catch (HttpRequestException error)
        {
            throw Failure(error.Message, error);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure($"it did not answer within {_http.Timeout.TotalSeconds:0.#} seconds", error);
        }

        if (Parse(content) is not AuthFileDocument document)
        {
            return null;
        }

        // What a service names is a credential, never a program to run.
        document.CredentialHelpers = null;
        document.CredentialStore = null;
        return await _lookUp.FindAsync(document, registry, repository, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    private AuthFileDocument? Parse(byte[] content)
    {
        try
        {
            CredentialServiceReply? reply = JsonSerializer.Deserialize(content, AuthenticationJsonContext.Default.CredentialServiceReply);
            return reply is { Success: true } ? reply.Data : null;
        }
        catch (JsonException)
        {
            // Not the parser's own words: they may quote what is a secret.
            throw Failure("its answer is not proper JSON");
        }
    }

    private static SslClientAuthenticationOptions CreateTls(CredentialServiceOptions options)
    {
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.None };
        if (options.CertificateFile is string certificate)
        {
            tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate, options.KeyFile)];
        }

        if (options.RootFile is string roots)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(roots);
            tls.CertificateChainPolicy = policy;
        }

        return tls;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private RegistryException Failure(string problem, Exception? cause = null) =>
        new(RegistryError.Credentials, $"The credential service {_name} cannot be used: {problem}.", innerException: cause);
}
