// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>A time as file systems keep it: whole seconds since 1970-01-01 UTC, and nanoseconds after that second.</summary>
/// <param name="Seconds">The seconds, negative before 1970.</param>
/// <param name="Nanoseconds">0 to 999,999,999, also for negative seconds: half a second before 1970 is (-1, 500,000,000).</param>
internal readonly record struct FileTime(long Seconds, int Nanoseconds);
