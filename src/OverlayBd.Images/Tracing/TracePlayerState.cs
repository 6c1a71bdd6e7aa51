// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Tracing;

/// <summary>How far a <see cref="TracePlayer"/> is.</summary>
public enum TracePlayerState
{
    /// <summary>It reads the trace, or prefetches what the trace names.</summary>
    Playing,

    /// <summary>All of the trace was asked for.</summary>
    Completed,

    /// <summary>It was cancelled before all of the trace was asked for.</summary>
    Cancelled,

    /// <summary>There is no trace to play: it is missing, damaged, or something else.</summary>
    Unusable,
}
