// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.Metrics;

namespace OverlayBd.Registry;

/// <summary>What a <see cref="RegistryClient"/> has done so far. The same numbers go to the meter <c>OverlayBd.Registry</c>.</summary>
public sealed class RegistryStatistics : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "OverlayBd.Registry";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requestCounter;
    private readonly Counter<long> _retryCounter;
    private readonly Counter<long> _receivedCounter;
    private readonly Counter<long> _sentCounter;
    private long _requests;
    private long _retries;
    private long _tokenRequests;
    private long _bytesReceived;
    private long _bytesSent;

    internal RegistryStatistics()
    {
        _requestCounter = _meter.CreateCounter<long>("overlaybd.registry.requests", "{request}", "HTTP requests made.");
        _retryCounter = _meter.CreateCounter<long>("overlaybd.registry.retries", "{retry}", "Operations tried again.");
        _receivedCounter = _meter.CreateCounter<long>("overlaybd.registry.received", "By", "Bytes of bodies received.");
        _sentCounter = _meter.CreateCounter<long>("overlaybd.registry.sent", "By", "Bytes of bodies sent.");
    }

    /// <summary>Gets the number of HTTP requests, those for tokens and along redirects included.</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Gets how often an operation was tried again.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>Gets the number of requests for tokens.</summary>
    public long TokenRequests => Volatile.Read(ref _tokenRequests);

    /// <summary>Gets the bytes of bodies received.</summary>
    public long BytesReceived => Volatile.Read(ref _bytesReceived);

    /// <summary>Gets the bytes of bodies sent.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    /// <inheritdoc/>
    void IDisposable.Dispose() => _meter.Dispose();

    internal void AddRequest()
    {
        Interlocked.Increment(ref _requests);
        _requestCounter.Add(1);
    }

    internal void AddRetry()
    {
        Interlocked.Increment(ref _retries);
        _retryCounter.Add(1);
    }

    internal void AddTokenRequest() => Interlocked.Increment(ref _tokenRequests);

    internal void AddReceived(int bytes)
    {
        Interlocked.Add(ref _bytesReceived, bytes);
        _receivedCounter.Add(bytes);
    }

    internal void AddSent(int bytes)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        _sentCounter.Add(bytes);
    }
}
