// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>When a log is begun anew, and how many older ones stay.</summary>
/// <param name="LimitBytes">The size that a log does not exceed, in bytes.</param>
/// <param name="OldFiles">How many older logs are kept: <c>x.1</c> is the youngest.</param>
internal readonly record struct RotationRule(long LimitBytes, int OldFiles)
{
    private const long LeastBytes = 1 << 20;

    /// <summary>The rule of the audit log, which nothing configures.</summary>
    public static RotationRule Audit { get; } = new(10 << 20, 3);

    public static RotationRule Of(LogConfig config) => new(Math.Max(LeastBytes, (long)config.SizeInMiB << 20), Math.Clamp(config.RotatedFiles, 0, 30));
}
