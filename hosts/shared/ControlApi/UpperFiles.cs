// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.ControlApi;

/// <summary>The two files of a writable layer; both are created when they do not exist.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record UpperFiles
{
    public required string Data { get; init; }

    public required string Index { get; init; }

    /// <summary>Whether files that are made are those of a sparse layer; else they are those of a log-structured one.</summary>
    public bool Sparse { get; init; }

    /// <summary>Whether the files, and their folder, go with the device.</summary>
    public bool Temporary { get; init; }
}
