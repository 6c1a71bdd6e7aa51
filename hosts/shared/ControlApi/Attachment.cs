// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>
/// What a device was attached from, kept in the run directory as long as its TCMU device exists: the device outlives its server,
/// and the next one opens the same image by this.
/// </summary>
internal sealed record Attachment
{
    public required AttachRequest Request { get; init; }

    /// <summary>The manifest of the image at that time, so that a tag that moves does not change a disk in use; none for what has no manifest.</summary>
    public string? Manifest { get; init; }
}
