// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Authentication;

namespace OverlayBd.Registry;

/// <summary>How a <see cref="RegistryClient"/> reaches registries. It is copied when the client is made.</summary>
public sealed class RegistryClientOptions
{
    /// <summary>Gets or sets whether every registry is spoken to without TLS.</summary>
    /// <value><see langword="false"/>; <c>localhost</c> and 127.0.0.0/8 are plain HTTP all the same, unless they answer TLS.</value>
    public bool PlainHttp { get; set; }

    /// <summary>Gets or sets whether the certificates of servers are verified.</summary>
    /// <value><see langword="true"/>. When <see langword="false"/>, a registry that does not answer TLS at all is spoken to in plain
    /// HTTP.</value>
    public bool TlsVerify { get; set; } = true;

    /// <summary>Gets or sets a directory of <c>*.crt</c> files (more roots to trust) and <c>*.cert</c>, <c>*.key</c> pairs (client
    /// certificates).</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? CertDirectory { get; set; }

    /// <summary>Gets or sets a client certificate that every registry is shown, PEM; <see cref="ClientKeyFile"/> is its key.</summary>
    /// <value><see langword="null"/> for none. It comes beside those of <see cref="CertDirectory"/>, and does not touch <see cref="HostsDirectory"/>'s.</value>
    public string? ClientCertificateFile { get; set; }

    /// <summary>Gets or sets the key of <see cref="ClientCertificateFile"/>, PEM; both may be the same file.</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? ClientKeyFile { get; set; }

    /// <summary>Gets or sets containerd's directory of <c>HOST/hosts.toml</c> files, which name mirrors and their TLS.</summary>
    /// <value><see langword="null"/> for none. <see cref="PlainHttp"/>, <see cref="TlsVerify"/> and <see cref="CertDirectory"/> come before
    /// it.</value>
    public string? HostsDirectory { get; set; }

    /// <summary>Gets or sets a docker <c>config.json</c> or a file of the same form with credentials. It is read again when it
    /// changes.</summary>
    /// <value><see langword="null"/> for none; <see cref="AuthFiles.FindDefault"/> finds the user's.</value>
    public string? AuthFile { get; set; }

    /// <summary>Gets or sets the user for every registry, together with <see cref="Password"/>; <see cref="AuthFile"/> is then not
    /// read.</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? UserName { get; set; }

    /// <summary>Gets or sets the password of <see cref="UserName"/>.</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? Password { get; set; }

    /// <summary>Gets or sets who is asked for credentials, before <see cref="UserName"/> and <see cref="AuthFile"/>.</summary>
    /// <value><see langword="null"/> for nobody.</value>
    public ICredentialProvider? CredentialProvider { get; set; }

    /// <summary>Gets or sets how often one operation is tried in all. Authentication and redirects are part of a try.</summary>
    /// <value>5.</value>
    public int MaxAttempts { get; set; } = 5;

    /// <summary>Gets or sets the first pause between two tries; it doubles, with jitter.</summary>
    /// <value>Half a second.</value>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets or sets the longest pause between two tries, also when a registry's <c>Retry-After</c> asks for more.</summary>
    /// <value>30 seconds.</value>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long a connection may take to be made.</summary>
    /// <value>15 seconds.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets how long a registry may take to begin its answer.</summary>
    /// <value>30 seconds.</value>
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how long a body may make no progress, in either direction.</summary>
    /// <value>30 seconds.</value>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets how many connections one server gets at once.</summary>
    /// <value>32.</value>
    public int MaxConnectionsPerServer { get; set; } = 32;

    /// <summary>Gets or sets the size of the pieces a blob is uploaded in, in bytes.</summary>
    /// <value>0: one request for the whole blob, which every registry accepts.</value>
    /// <remarks>Pieces help where a proxy limits the size of a request.</remarks>
    public long UploadChunkSize { get; set; }

    /// <summary>Gets or sets what the client calls itself.</summary>
    /// <value><c>overlaybd-dotnet</c>.</value>
    public string UserAgent { get; set; } = "overlaybd-dotnet";

    /// <summary>Gets or sets the clock.</summary>
    /// <value>The system's.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal RegistryClientOptions Copy()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(HeaderTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConnectionsPerServer, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(UploadChunkSize);
        ArgumentException.ThrowIfNullOrEmpty(UserAgent);
        if (ClientCertificateFile is null != ClientKeyFile is null)
        {
            throw new ArgumentException($"{nameof(ClientCertificateFile)} and {nameof(ClientKeyFile)} go together.");
        }

        ArgumentNullException.ThrowIfNull(TimeProvider);
        return (RegistryClientOptions)MemberwiseClone();
    }
}
