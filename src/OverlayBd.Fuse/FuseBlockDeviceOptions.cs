// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Microsoft.Extensions.Logging;

namespace OverlayBd.Fuse;

/// <summary>How a store is served. The options are read once, when the device is attached.</summary>
public sealed class FuseBlockDeviceOptions
{
    private static readonly SearchValues<char> s_nameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+@:/");

    /// <summary>Gets or sets what messages, metrics and the mount table call the device.</summary>
    /// <value>The default is "disk". Letters, digits and <c>. _ - + @ : /</c> only.</value>
    public string Name { get; set; } = "disk";

    /// <summary>Gets or sets the path of the regular file that the disk is mounted over; it is created, and removed by the
    /// detach.</summary>
    /// <value>The default is <see langword="null"/>: a file of its own under /run/overlaybd/fuse.</value>
    /// <remarks>An empty file that is there is used; that is what a server that was killed leaves behind.</remarks>
    public string? MountPoint { get; set; }

    /// <summary>Gets or sets whether writes are refused although the store would take them.</summary>
    /// <value>The default is <see langword="false"/>. A store that is read-only makes the device read-only in any case.</value>
    public bool ReadOnly { get; set; }

    /// <summary>Gets or sets the device's logical block size, in bytes: the smallest read and write.</summary>
    /// <value>512 (the default) or 4096; a multiple of the store's write alignment.</value>
    /// <remarks>4096 spares a log-structured store the small pieces; file systems with smaller blocks cannot be mounted then.</remarks>
    public int BlockSize { get; set; } = 512;

    /// <summary>Gets or sets the number of threads that read requests.</summary>
    /// <value>From 1 to 64. The default is one for each core, four at most, and one more.</value>
    /// <remarks>
    /// A read that a store answers at once runs on these threads; one that has to wait leaves them. More threads raise the
    /// throughput of cached reads until the cores are busy. The extra one keeps reads going while a flush or a discard
    /// blocks in the store; with 1 such a request stops everything behind it.
    /// </remarks>
    public int Workers { get; set; } = Math.Min(4, Environment.ProcessorCount) + 1;

    /// <summary>Gets or sets how many requests the kernel sends before it waits for answers.</summary>
    /// <value>From 1 to 4096. The default is 256, which is what a loop device's queue of 128 large requests can become.</value>
    /// <remarks>
    /// It bounds how many reads of a slow registry are under way at once, and the memory for them: each has a buffer of up
    /// to 1 MiB, of which only what it reads is ever used. Below 64 the throughput of cached reads suffers as well.
    /// </remarks>
    public int MaxBackground { get; set; } = 256;

    /// <summary>Gets or sets how long the store may take for a request before it fails with an I/O error.</summary>
    /// <value>The default is <see langword="null"/>: as long as it takes. At least 1 ms.</value>
    /// <remarks>
    /// A process that waits for a disk cannot be killed, so a registry that never answers blocks it until this time is up; a
    /// file system that gets an I/O error may turn read-only. Retries belong into the store: this is the last resort. It
    /// is watched in steps of an eighth, between 20 ms and 1 s.
    /// </remarks>
    public TimeSpan? RequestTimeout { get; set; }

    /// <summary>Gets or sets how long a detach waits for the kernel to let go of the device.</summary>
    /// <value>The default is 30 seconds.</value>
    public TimeSpan DetachTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets whether the loop device disappears with its last user, such as the file system on it.</summary>
    /// <value>The default is <see langword="false"/>: it stays until the detach.</value>
    /// <remarks>The device object counts as a user until it is detached or its process ends, so a device that nobody opened
    /// does not outlive its server.</remarks>
    public bool AutoClear { get; set; }

    /// <summary>Gets or sets whether the store is left open when the device is detached.</summary>
    /// <value>The default is <see langword="false"/>: the device owns the store.</value>
    public bool LeaveOpen { get; set; }

    /// <summary>Gets or sets where log records go.</summary>
    /// <value>The default is <see langword="null"/>: nowhere.</value>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Gets or sets the clock of timeouts and latencies.</summary>
    /// <value>The default is <see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Name);
        ArgumentNullException.ThrowIfNull(TimeProvider);
        if (Name.AsSpan().ContainsAnyExcept(s_nameCharacters))
        {
            throw new ArgumentException($"'{Name}' cannot be a device's name: letters, digits and . _ - + @ : / only.", nameof(Name));
        }

        if (BlockSize is not (512 or 4096))
        {
            throw new ArgumentOutOfRangeException(nameof(BlockSize), BlockSize, "The block size is 512 or 4096 bytes.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(Workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Workers, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBackground, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBackground, 4096);
        ArgumentOutOfRangeException.ThrowIfLessThan(DetachTimeout, TimeSpan.Zero);
        if (RequestTimeout is TimeSpan timeout)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.FromMilliseconds(1), nameof(RequestTimeout));
        }
    }

    /// <summary>The options as they are now, so that later changes do no harm.</summary>
    internal FuseBlockDeviceOptions Copy() => (FuseBlockDeviceOptions)MemberwiseClone();
}
