// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Protocol;

/// <summary>Sizes and numbers of the protocol between kernel and server (linux/fuse.h).</summary>
internal static class FuseConstants
{
    public const uint ProtocolMajor = 7;

    /// <summary>The newest minor version this server was written against; the kernel adapts to the lower of both.</summary>
    public const uint ProtocolMinor = 41;

    /// <summary>Nothing below is served: 7.31 (Linux 5.4) has large requests and the abort error.</summary>
    public const uint OldestProtocolMinor = 31;

    /// <summary><c>FUSE_DEV_IOC_CLONE</c>: joins a fresh descriptor of /dev/fuse to a connection.</summary>
    public const uint CloneIoctl = 0x8004E500;

    /// <summary>The mounted file itself: the disk.</summary>
    public const ulong RootNodeId = 1;

    /// <summary>Both headers of a read or write, after which a write's bytes begin.</summary>
    public const int TransferHeaderSize = 80;

    /// <summary>The most bytes one request carries: 256 pages, the kernel's default limit.</summary>
    public const int MaxTransferSize = 1024 * 1024;

    /// <summary>The same for a kernel that does not agree on a number of pages.</summary>
    public const int SmallTransferSize = 128 * 1024;

    /// <summary>Where a request's bytes begin in its buffer: one page in, so that they are page-aligned.</summary>
    public const int DataOffset = 4096;

    /// <summary>Where a message begins in its buffer, so that a write's bytes land at <see cref="DataOffset"/>.</summary>
    public const int MessageOffset = DataOffset - TransferHeaderSize;

    /// <summary>The length of the buffer of one request.</summary>
    public const int BufferSize = DataOffset + MaxTransferSize;

    /// <summary>How long the kernel keeps the attributes; they never change.</summary>
    public const ulong AttributeSeconds = 3600;

    /// <summary>The file system type shown in the mount table.</summary>
    public const string FileSystemType = "fuse.overlaybd";

    /// <summary>What the source of every mount of this library begins with.</summary>
    public const string SourcePrefix = "overlaybd:";
}
