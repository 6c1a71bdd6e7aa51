// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>One entry of a layer's tar archive, with every extension header already applied.</summary>
internal sealed class TarEntry
{
    /// <summary>Gets the offset of the entry's own header in the archive, in bytes; for messages.</summary>
    public required long HeaderOffset { get; init; }

    /// <summary>Gets what the entry makes.</summary>
    public required TarEntryKind Kind { get; init; }

    /// <summary>Gets the path as raw bytes, relative to the root and cleaned: no empty, "." or ".." component, no slash
    /// at either end. Empty for the root directory itself.</summary>
    public required byte[] Name { get; init; }

    /// <summary>Gets the target: verbatim for a symbolic link, cleaned as <see cref="Name"/> for a hard link, else empty.</summary>
    public byte[] LinkName { get; init; } = [];

    /// <summary>Gets the permission bits with setuid, setgid and sticky (octal 07777 at most).</summary>
    public required uint Mode { get; init; }

    /// <summary>Gets the owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Gets the group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Gets the length of a regular file in bytes, holes included; 0 for everything else.</summary>
    public long Size { get; init; }

    /// <summary>Gets the number of bytes that the archive holds for the content: <see cref="Size"/>, or the sum of the
    /// segments of a sparse file.</summary>
    public long StoredLength { get; init; }

    /// <summary>Gets the time of last modification.</summary>
    public required FileTime ModificationTime { get; init; }

    /// <summary>Gets the time of last access, when the archive tells.</summary>
    public FileTime? AccessTime { get; init; }

    /// <summary>Gets the time of last status change, when the archive tells.</summary>
    public FileTime? ChangeTime { get; init; }

    /// <summary>Gets the major number of a device; 0 for everything else.</summary>
    public uint DeviceMajor { get; init; }

    /// <summary>Gets the minor number of a device; 0 for everything else.</summary>
    public uint DeviceMinor { get; init; }

    /// <summary>Gets the extended attributes; each name occurs once.</summary>
    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; } = [];

    /// <summary>Gets where the stored bytes of a sparse file belong, in ascending order without overlap; null when the
    /// content is stored whole.</summary>
    public IReadOnlyList<SparseSegment>? SparseMap { get; init; }
}
