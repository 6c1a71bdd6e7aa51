// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;

namespace OverlayBd.Registry.Caching;

/// <summary>The cache's instruments. They observe its counts, so a read pays nothing for them.</summary>
internal sealed class BlockCacheMetrics : IDisposable
{
    private const string MeterName = "OverlayBd.Registry";
    private readonly Meter _meter;

    public BlockCacheMetrics(BlockCache cache, IMeterFactory? meterFactory)
    {
        _meter = meterFactory?.Create(MeterName) ?? new Meter(MeterName);
        _meter.CreateObservableCounter("overlaybd.cache.hits", () => cache.Statistics.Hits, "{read}", "Reads served from the cache alone.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.misses", () => cache.Statistics.Misses, "{read}", "Reads that waited for the origin.");
        _meter.CreateObservableCounter("overlaybd.cache.fetches", () => cache.Statistics.Fetches, "{request}", "Reads of the origin.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.fetches.failed", () => cache.Statistics.FailedFetches, "{request}", "Reads of the origin that failed.");
        _meter.CreateObservableCounter("overlaybd.cache.fetched", () => cache.Statistics.BytesFetched, "By", "Bytes read from the origin.");
        _meter.CreateObservableCounter("overlaybd.cache.served", () => cache.Statistics.BytesServed, "By", "Bytes given to readers.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.evictions", () => cache.Statistics.Evictions, "{eviction}", "Times that bytes were dropped.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.evicted", () => cache.Statistics.BytesEvicted, "By", "Bytes dropped to keep the limits.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.invalidated", () => cache.Statistics.InvalidatedUnits, "{unit}", "Stored units that a reader found damaged.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.damaged", () => cache.Statistics.DamagedUnits, "{unit}", "Stored units that did not match their checksum.");
        _meter.CreateObservableCounter(
            "overlaybd.cache.write_failures", () => cache.Statistics.WriteFailures, "{write}", "Fetches that could not be stored.");
        _meter.CreateObservableUpDownCounter("overlaybd.cache.stored", () => cache.Statistics.StoredBytes, "By", "Bytes stored.");
    }

    public void Dispose() => _meter.Dispose();
}
