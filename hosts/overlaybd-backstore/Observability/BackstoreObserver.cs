// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Backstore.Observability.Auditing;
using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Backstore.Observability;

/// <summary>Hands what the cache and the images report to the audit log and to the metrics, as far as there are any.</summary>
internal sealed class BackstoreObserver(AuditLog? audit, UpstreamMetrics? metrics) : IBlockOperationObserver
{
    public void OnCompleted(BlockOperation operation, string name, long offset, long length, TimeSpan elapsed)
    {
        metrics?.Note(operation, length, elapsed);
        audit?.Note(operation, name, offset, length, elapsed);
    }
}
