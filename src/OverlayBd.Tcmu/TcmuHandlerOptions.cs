// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu;

/// <summary>How devices are served.</summary>
public sealed class TcmuHandlerOptions
{
    /// <summary>Gets or sets the subtype that is served: what a device's configuration begins with.</summary>
    public string Subtype { get; set; } = "overlaybd";

    /// <summary>Gets or sets the logical block size of the disks, in bytes: 512 (default) or 4096.</summary>
    public int BlockSize { get; set; } = 512;

    /// <summary>Gets or sets whether the disks say that they have a write cache, and so are flushed.</summary>
    /// <remarks>Without one, every write is made durable before it ends.</remarks>
    public bool WriteCache { get; set; } = true;

    /// <summary>Gets or sets how long a command may wait for its store before it fails with an I/O error.</summary>
    /// <value>One minute by default.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets the number of threads that read rings. Each device belongs to one of them.</summary>
    /// <value>The number of processors by default, at least 2 and at most 8.</value>
    public int Threads { get; set; } = Math.Clamp(Environment.ProcessorCount, 2, 8);

    /// <summary>Gets or sets whether those threads wait with io_uring, where the kernel has it (Linux 6.1) and lets us.</summary>
    /// <value><see langword="true"/> by default: the answer to one batch of commands and the wait for the next are one system call
    /// then. Elsewhere they wait with epoll, and that takes two.</value>
    public bool IoUring { get; set; } = true;

    /// <summary>Gets or sets how many devices are opened at once.</summary>
    /// <value>1,024 by default: devices whose opening stalls must not keep others from being opened.</value>
    public int MaxConcurrentOpens { get; set; } = 1024;

    /// <summary>Gets or sets how long a stopping handler waits for the commands in flight, and for devices that are being opened.</summary>
    /// <value>10 seconds by default. What has not ended then is sent back to the kernel, which repeats it to the next handler.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets whether a device of another subtype is refused.</summary>
    /// <remarks>Somebody must answer the kernel, or the one who enables the device hangs. Turn it off only where another
    /// handler is certain to answer.</remarks>
    public bool RefuseOtherSubtypes { get; set; } = true;

    /// <summary>The size of the receive buffer for the kernel's announcements, in bytes.</summary>
    /// <value>Room for those of a thousand devices that are made at once.</value>
    internal int AnnouncementBuffer { get; set; } = 8 * 1024 * 1024;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Subtype);
        if (BlockSize is not (512 or 4096))
        {
            throw new ArgumentException($"The block size is {BlockSize}; it is 512 or 4096.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(CommandTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(DrainTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConcurrentOpens, 1);
    }
}
