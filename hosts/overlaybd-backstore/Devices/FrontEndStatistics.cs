// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Devices;

/// <summary>What the kernel asked of a device and what became of it, the same for every front end.</summary>
internal readonly record struct FrontEndStatistics(
    long Reads,
    long ReadBytes,
    long Writes,
    long WrittenBytes,
    long Discards,
    long Flushes,
    long Errors,
    long Hung,
    long InFlight);
