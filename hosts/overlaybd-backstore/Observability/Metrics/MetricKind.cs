// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Observability.Metrics;

/// <summary>How measurements of one series become one value.</summary>
internal enum MetricKind
{
    /// <summary>Added up; never falls.</summary>
    Counter,

    /// <summary>Added up; may fall.</summary>
    Sum,

    /// <summary>The last one counts.</summary>
    Gauge,

    /// <summary>Counted by size.</summary>
    Histogram,
}
