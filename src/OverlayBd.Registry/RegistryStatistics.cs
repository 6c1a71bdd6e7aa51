// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry;

/// <summary>What a <see cref="RegistryClient"/> has done so far. The same numbers go to the meter <c>OverlayBd.Registry</c>.</summary>
public sealed class RegistryStatistics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "OverlayBd.Registry";

    private long _requests;
    private long _retries;
    private long _tokenRequests;
    private long _bytesReceived;
    private long _bytesSent;

    internal RegistryStatistics()
    {
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

    internal void AddRequest() => Interlocked.Increment(ref _requests);

    internal void AddRetry()
    {
        Interlocked.Increment(ref _retries);
        RegistryTelemetry.Retried();
    }

    internal void AddTokenRequest()
    {
        Interlocked.Increment(ref _tokenRequests);
        RegistryTelemetry.TokenRequested();
    }

    internal void AddReceived(int bytes)
    {
        Interlocked.Add(ref _bytesReceived, bytes);
        RegistryTelemetry.Received(bytes);
    }

    internal void AddSent(int bytes)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        RegistryTelemetry.Sent(bytes);
    }
}
