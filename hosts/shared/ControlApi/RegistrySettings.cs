// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>How to reach a registry. Paths are absolute; no secret travels in it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RegistrySettings
{
    public bool PlainHttp { get; init; }

    public bool TlsVerify { get; init; } = true;

    public string? CertificateDirectory { get; init; }

    public string? AuthFile { get; init; }

    public string? HostsDirectory { get; init; }
}
