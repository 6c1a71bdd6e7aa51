// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The one line that a private server writes to its standard output: it listens, or why it does not.</summary>
internal sealed record ReadyMessage
{
    public string? Socket { get; init; }

    public ErrorDetail? Error { get; init; }
}
