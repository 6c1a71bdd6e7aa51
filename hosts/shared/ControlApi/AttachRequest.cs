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

    /// <summary>One of <see cref="FrontEnds"/>; none takes what the server was configured for.</summary>
    public string? FrontEnd { get; init; }

    /// <summary>The path of a trace to record from the opening on, until the device goes or the recording is stopped.</summary>
    public string? Record { get; init; }

    /// <summary>The path of a trace to replay; none replays the image's acceleration layer, if it has one.</summary>
    public string? Replay { get; init; }
}
