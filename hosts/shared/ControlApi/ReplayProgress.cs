// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>How far the replay of a trace is.</summary>
/// <param name="State"><c>playing</c>, <c>completed</c>, <c>cancelled</c> or <c>unusable</c>.</param>
/// <param name="Prefetches">The prefetches to be made.</param>
/// <param name="CompletedPrefetches">Those that were made.</param>
/// <param name="FailedPrefetches">Those that failed.</param>
/// <param name="PrefetchedBytes">The bytes that were brought near.</param>
internal sealed record ReplayProgress(string State, int Prefetches, int CompletedPrefetches, int FailedPrefetches, long PrefetchedBytes);
