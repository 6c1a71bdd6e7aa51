// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Tracing;

/// <summary>What a <see cref="TracePlayer"/> has done so far.</summary>
/// <param name="State">How far it is.</param>
/// <param name="Records">The records of the trace.</param>
/// <param name="SkippedRecords">The records that name nothing to fetch: a layer that is local or not there, a range outside of it, a
/// write.</param>
/// <param name="Prefetches">The prefetches to be made: records that touch each other are one, long ones are several.</param>
/// <param name="CompletedPrefetches">The prefetches made.</param>
/// <param name="FailedPrefetches">The prefetches that failed; nothing else comes of that.</param>
/// <param name="PrefetchedBytes">The bytes that were brought near, as the layers have them uncompressed.</param>
public readonly record struct TracePlayerStatistics(
    TracePlayerState State,
    int Records,
    int SkippedRecords,
    int Prefetches,
    int CompletedPrefetches,
    int FailedPrefetches,
    long PrefetchedBytes);
