// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Backstore.Observability.Metrics;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>An image and the disk that shows it to the kernel. Owns both.</summary>
internal sealed class AttachedDevice
{
    private readonly Lock _releasing = new(); // guards _release
    private Attachment? _attachment;
    private Task? _release;
    private volatile bool _isBeingDetached;

    public required string Id { get; init; }

    /// <summary>The id that whoever made the device gave it; null when it gave none.</summary>
    public string? DeviceId { get; init; }

    /// <summary>What was attached, as it was asked for.</summary>
    public required string Source { get; init; }

    /// <summary>What it was attached from by the control API; null for a device that others made in configfs.</summary>
    public Attachment? Attachment
    {
        get => Volatile.Read(ref _attachment);
        set => Volatile.Write(ref _attachment, value);
    }

    /// <summary>The device config of a device that others made; null for one of the control API.</summary>
    public string? ConfigPath { get; init; }

    public required DeviceImage Image { get; init; }

    public required IKernelDisk Disk { get; init; }

    public required DateTimeOffset AttachedAt { get; init; }

    /// <summary>Whether somebody takes it away now, so that its end is no surprise.</summary>
    public bool IsBeingDetached
    {
        get => _isBeingDetached;
        set => _isBeingDetached = value;
    }

    public DeviceInfo Info => new()
    {
        Id = Id,
        DeviceId = DeviceId,
        Source = Source,
        FrontEnd = Disk.FrontEnd,
        DevicePath = Disk.DevicePath,
        BackingFile = Disk.BackingFile,
        Target = Disk.Target,
        Owned = Attachment is not null,
        ReadOnly = Image.IsReadOnly,
        Size = Image.Length,
        AttachedAt = AttachedAt,
        Problem = Image.Problem,
    };

    public DeviceStatistics ReadStatistics() => Image.Require().ReadStatistics(Id, Disk.Statistics);

    /// <summary>Releases the device once; whoever else asks for it waits for that.</summary>
    public Task ReleaseAsync(Func<Task> release)
    {
        lock (_releasing)
        {
            return _release ??= release();
        }
    }

    public DeviceMetrics ReadMetrics()
    {
        FrontEndStatistics disk = Disk.Statistics;
        OpenedImage? image = Image.Current;
        return new()
        {
            Id = Id,
            Source = Source,
            FrontEnd = Disk.FrontEnd,
            Size = Image.Length,
            Reads = disk.Reads,
            ReadBytes = disk.ReadBytes,
            Writes = disk.Writes,
            WrittenBytes = disk.WrittenBytes,
            Discards = disk.Discards,
            Flushes = disk.Flushes,
            Errors = disk.Errors,
            Hung = disk.Hung,
            InFlight = disk.InFlight,
            CacheHits = image?.Sum(cache => cache.Hits) ?? 0,
            CacheMisses = image?.Sum(cache => cache.Misses) ?? 0,
            Fetches = image?.Sum(cache => cache.Fetches) ?? 0,
            FailedFetches = image?.Sum(cache => cache.FailedFetches) ?? 0,
            FetchedBytes = image?.Sum(cache => cache.BytesFetched) ?? 0,
        };
    }
}
