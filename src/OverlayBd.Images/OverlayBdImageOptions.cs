// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format.Config;
using OverlayBd.Images.Tracing;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Images;

/// <summary>How an <see cref="OverlayBdImage"/> is opened. Read once, when it is opened.</summary>
public sealed class OverlayBdImageOptions
{
    /// <summary>The default of <see cref="MaxConcurrentOpens"/>.</summary>
    public const int DefaultMaxConcurrentOpens = 32;

    /// <summary>Gets or sets the cache that remote layers are read through; it stays the caller's and must outlive the image.</summary>
    /// <value>Default <see langword="null"/>: every read of a remote layer goes to its registry.</value>
    public BlockCache? Cache { get; set; }

    /// <summary>Gets or sets the client that reaches the registry of a device config; it stays the caller's and must outlive the
    /// image.</summary>
    /// <value>Default <see langword="null"/>: a device config with a layer that is not local cannot be opened.</value>
    public RegistryClient? Client { get; set; }

    /// <summary>Gets or sets the writable layer to put on top; <see langword="null"/> for a read-only image, or for what the device config
    /// says.</summary>
    public WritableUpper? WritableUpper { get; set; }

    /// <summary>Gets or sets how many layers are opened at a time.</summary>
    /// <value>Default 32.</value>
    public int MaxConcurrentOpens { get; set; } = DefaultMaxConcurrentOpens;

    /// <summary>Gets or sets how layers are downloaded in the background when the device config does not say.</summary>
    /// <value>Default <see langword="null"/>: they are not.</value>
    public DownloadConfig? Download { get; set; }

    /// <summary>Gets or sets what limits the replay of traces, together with that of other images; it stays the caller's and must outlive
    /// the image.</summary>
    /// <value>Default <see langword="null"/>: the image has a budget of its own, of 16 prefetches at a time.</value>
    public PrefetchBudget? PrefetchBudget { get; set; }

    /// <summary>Gets or sets the path of a trace to record from the opening on.</summary>
    /// <value>Default <see langword="null"/>: only what a device config asks for is recorded.</value>
    /// <remarks>What is read while the image opens is recorded too; <see cref="OverlayBdImage.StartTrace"/> comes later.</remarks>
    public string? RecordTracePath { get; set; }

    /// <summary>Gets or sets the path of a trace to replay, in place of the acceleration layer's or the device config's.</summary>
    /// <value>Default <see langword="null"/>: the image's own is replayed, if it has one.</value>
    public string? ReplayTracePath { get; set; }

    /// <summary>Gets or sets the clock of the background download and of recordings.</summary>
    /// <value>Default the system's.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Gets or sets who is told of reads of local layers and of background downloads; it stays the caller's. The cache has its
    /// own.</summary>
    /// <value>Default <see langword="null"/>: nobody, and nothing is timed.</value>
    public IBlockOperationObserver? Observer { get; set; }

    /// <summary>Gets or sets where to log; <see langword="null"/> for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }
}
