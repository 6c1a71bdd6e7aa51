// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>Where a <see cref="CredentialService"/> is, and how it is spoken to. Read once, when it is made.</summary>
public sealed class CredentialServiceOptions
{
    /// <summary>Gets or sets the URL to ask; the blob's is appended as the query <c>remote_url</c>.</summary>
    public required Uri Address { get; set; }

    /// <summary>Gets or sets the unix socket to connect to; the host in <see cref="Address"/> is then only a name.</summary>
    /// <value><see langword="null"/> for TCP.</value>
    public string? Socket { get; set; }

    /// <summary>Gets or sets how long an answer may take.</summary>
    /// <value>One second, as the original's.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the client certificate to show, PEM; <see cref="KeyFile"/> is its key.</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? CertificateFile { get; set; }

    /// <summary>Gets or sets the key of <see cref="CertificateFile"/>, PEM.</summary>
    /// <value><see langword="null"/> for none.</value>
    public string? KeyFile { get; set; }

    /// <summary>Gets or sets the roots to trust instead of the system's, PEM.</summary>
    /// <value><see langword="null"/> for the system's.</value>
    public string? RootFile { get; set; }
}
