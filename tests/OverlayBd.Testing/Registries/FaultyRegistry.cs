// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OverlayBd.Format.Oci;

namespace OverlayBd.Testing.Registries;

/// <summary>A registry in this process that keeps everything in memory, records what it is asked, and does wrong what it is told to.</summary>
/// <remarks>
/// It listens on a free port of 127.0.0.1. Faults are queued by <see cref="Inject"/>; each one is spent on the next requests it is meant for,
/// and what no fault is meant for is answered properly.
/// </remarks>
public sealed partial class FaultyRegistry : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new();
    private readonly ConcurrentDictionary<(string Repository, string Digest), bool> _owned = new();
    private readonly ConcurrentDictionary<(string Repository, string Name), (byte[] Content, string MediaType)> _manifests = new();
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new();
    private readonly ConcurrentDictionary<string, bool> _tokens = new();
    private readonly ConcurrentDictionary<string, long> _bytesSent = new();
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private readonly List<PlannedFault> _faults = []; // guarded by itself
    private readonly CancellationTokenSource _stopping = new();
    private readonly FaultyRegistryOptions _options;
    private readonly X509Certificate2? _certificate;
    private readonly WebApplication _application;
    private int _disposed;

    private FaultyRegistry(FaultyRegistryOptions options)
    {
        _options = options;
        _certificate = options.UseTls ? CreateCertificate() : null;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (_certificate is not null)
                {
                    listen.UseHttps(_certificate);
                }
            });
        });
        if (_certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.Logging.ClearProviders();
        _application = builder.Build();
        _application.Run(HandleAsync);
    }

    /// <summary>The registry as HOST:PORT, to put before a repository.</summary>
    public string Host { get; private set; } = "";

    /// <summary>The registry's address without a path, such as <c>http://127.0.0.1:4711</c>.</summary>
    public string Address => $"{(_options.UseTls ? "https" : "http")}://{Host}";

    /// <summary>Every request so far, in the order they came, those to the token server included.</summary>
    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    /// <summary>The requests for tokens so far.</summary>
    public IReadOnlyList<RecordedRequest> TokenRequests => [.. _requests.Where(request => request.Path == "/token")];

    /// <summary>Every token handed out so far.</summary>
    public IReadOnlyCollection<string> Tokens => [.. _tokens.Keys];

    /// <summary>Starts a registry.</summary>
    public static async Task<FaultyRegistry> StartAsync(FaultyRegistryOptions? options = null, CancellationToken cancellationToken = default)
    {
        var registry = new FaultyRegistry(options ?? new FaultyRegistryOptions());
        await registry._application.StartAsync(cancellationToken);
        string address = registry._application.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First();
        registry.Host = new Uri(address).Authority;
        return registry;
    }

    /// <summary>Stores a blob.</summary>
    public Descriptor AddBlob(string repository, byte[] content, string mediaType = MediaTypes.OciLayer)
    {
        Digest digest = Digest.Sha256(content);
        _blobs[digest.ToString()] = content;
        _owned[(repository, digest.ToString())] = true;
        return new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    /// <summary>Stores a manifest or an index.</summary>
    public Descriptor AddManifest(string repository, string? tag, byte[] content, string mediaType = MediaTypes.OciManifest)
    {
        Digest digest = Digest.Sha256(content);
        _manifests[(repository, digest.ToString())] = (content, mediaType);
        if (tag is not null)
        {
            _manifests[(repository, tag)] = (content, mediaType);
        }

        return new Descriptor { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    /// <summary>The content of a blob, or null.</summary>
    public byte[]? GetBlob(string repository, Digest digest) =>
        _owned.ContainsKey((repository, digest.ToString())) ? _blobs.GetValueOrDefault(digest.ToString()) : null;

    /// <summary>The content of a manifest by tag or digest, or null.</summary>
    public byte[]? GetManifest(string repository, string tagOrDigest) =>
        _manifests.TryGetValue((repository, tagOrDigest), out (byte[] Content, string MediaType) manifest) ? manifest.Content : null;

    /// <summary>The number of requests for a blob's content so far.</summary>
    public int RequestsOf(Digest digest) =>
        _requests.Count(request => request.IsBlobRead && request.Path.EndsWith(digest.ToString(), StringComparison.Ordinal));

    /// <summary>The number of bytes of a blob that were sent so far.</summary>
    public long BytesSentOf(Digest digest) => _bytesSent.GetValueOrDefault(digest.ToString());

    /// <summary>Plans a fault.</summary>
    /// <param name="fault">What to do wrong.</param>
    /// <param name="times">How often; <see cref="int.MaxValue"/> for ever.</param>
    /// <param name="when">To which requests; null means reads of blobs.</param>
    public void Inject(Fault fault, int times = 1, Func<RecordedRequest, bool>? when = null)
    {
        lock (_faults)
        {
            _faults.Add(new PlannedFault(fault, when ?? (static request => request.IsBlobRead)) { Left = times });
        }
    }

    /// <summary>Forgets the planned faults.</summary>
    public void ClearFaults()
    {
        lock (_faults)
        {
            _faults.Clear();
        }
    }

    /// <summary>Refuses all tokens handed out so far.</summary>
    public void ExpireTokens()
    {
        foreach (string token in _tokens.Keys)
        {
            _tokens[token] = false;
        }
    }

    /// <summary>The certificate of a registry with TLS, PEM; it is its own root.</summary>
    public string CertificatePem => _certificate?.ExportCertificatePem() ?? throw new InvalidOperationException("The registry has no TLS.");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _application.DisposeAsync();
        _certificate?.Dispose();
        _stopping.Dispose();
    }

    private static X509Certificate2 CreateCertificate()
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private Fault? TakeFault(RecordedRequest request)
    {
        lock (_faults)
        {
            PlannedFault? planned = _faults.Find(fault => fault.Left > 0 && fault.When(request));
            if (planned is not null && planned.Left != int.MaxValue)
            {
                planned.Left--;
            }

            return planned?.Fault;
        }
    }

    private sealed record PlannedFault(Fault Fault, Func<RecordedRequest, bool> When)
    {
        public int Left { get; set; }
    }
}
