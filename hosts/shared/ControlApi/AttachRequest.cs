// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The body of <c>POST /v1/devices</c>. Exactly one of <see cref="Image"/>, <see cref="Config"/> and <see cref="Layers"/> is given.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record AttachRequest
{
    /// <summary>An image, named with its transport: <c>docker://…</c>, <c>oci:…</c>, <c>oci-archive:…</c>.</summary>
    public string? Image { get; init; }

    /// <summary>The path of a device configuration (<c>config.v1.json</c>).</summary>
    public string? Config { get; init; }

    /// <summary>The paths of layer files, bottom first.</summary>
    public IReadOnlyList<string>? Layers { get; init; }

    /// <summary>The writable layer; none makes the device read-only.</summary>
    public UpperFiles? Upper { get; init; }

    /// <summary>How to reach the registry; none takes the configuration of the machine.</summary>
    public RegistrySettings? Registry { get; init; }
}
