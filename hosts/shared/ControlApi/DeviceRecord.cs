// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>
/// The file that stands in the run directory while a device is served, so that devices are found without asking their
/// server, and also when that server was killed.
/// </summary>
internal sealed record DeviceRecord
{
    public required int ProcessId { get; init; }

    /// <summary>When the process started, in clock ticks after boot: tells it from a later one with the same number.</summary>
    public required long ProcessStart { get; init; }

    /// <summary>The control socket of the server.</summary>
    public required string Socket { get; init; }

    /// <summary>Whether the server exists for this device alone.</summary>
    public required bool Private { get; init; }

    public required DeviceInfo Device { get; init; }
}
