// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu;

/// <summary>What a device has done so far.</summary>
/// <param name="Reads">Read commands.</param>
/// <param name="ReadBytes">Bytes read.</param>
/// <param name="Writes">Write commands.</param>
/// <param name="WrittenBytes">Bytes written.</param>
/// <param name="Discards">Unmap and write-same commands.</param>
/// <param name="Flushes">Synchronize-cache commands.</param>
/// <param name="Errors">Commands that failed because the store did.</param>
/// <param name="Hung">Commands that failed because their time was over.</param>
/// <param name="InFlight">Commands that wait for the store now.</param>
public readonly record struct TcmuDeviceStatistics(
    long Reads, long ReadBytes, long Writes, long WrittenBytes, long Discards, long Flushes, long Errors, long Hung, int InFlight)
{
    internal TcmuDeviceStatistics Plus(TcmuDeviceStatistics other) => new(
        Reads + other.Reads,
        ReadBytes + other.ReadBytes,
        Writes + other.Writes,
        WrittenBytes + other.WrittenBytes,
        Discards + other.Discards,
        Flushes + other.Flushes,
        Errors + other.Errors,
        Hung + other.Hung,
        InFlight + other.InFlight);
}
