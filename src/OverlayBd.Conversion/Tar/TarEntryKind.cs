// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>What an entry of a tar archive makes.</summary>
internal enum TarEntryKind
{
    /// <summary>A file with content of its own.</summary>
    RegularFile,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link; its target is stored verbatim.</summary>
    SymbolicLink,

    /// <summary>Another name of an entry that came earlier, in this layer or a lower one.</summary>
    HardLink,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,

    /// <summary>A named pipe.</summary>
    Fifo,
}
