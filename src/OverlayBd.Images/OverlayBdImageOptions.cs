// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Images;

/// <summary>How an <see cref="OverlayBdImage"/> is opened. Read once, when it is opened.</summary>
public sealed class OverlayBdImageOptions
{
    /// <summary>The default of <see cref="MaxConcurrentOpens"/>.</summary>
    public const int DefaultMaxConcurrentOpens = 32;

    /// <summary>Gets or sets the cache that remote layers are read through; it stays the caller's and must outlive the image.</summary>
    /// <value>Default <see langword="null"/>: every read of a remote layer goes to its registry.</value>
    public BlockCache? Cache { get; set; }

    /// <summary>Gets or sets the client that reaches the registry of a device config; it stays the caller's and must outlive the image.</summary>
    /// <value>Default <see langword="null"/>: a device config with a layer that is not local cannot be opened.</value>
    public RegistryClient? Client { get; set; }

    /// <summary>Gets or sets the writable layer to put on top; <see langword="null"/> for a read-only image, or for what the device config says.</summary>
    public WritableUpper? WritableUpper { get; set; }

    /// <summary>Gets or sets how many layers are opened at a time.</summary>
    /// <value>Default 32.</value>
    public int MaxConcurrentOpens { get; set; } = DefaultMaxConcurrentOpens;

    /// <summary>Gets or sets where to log; <see langword="null"/> for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }
}
