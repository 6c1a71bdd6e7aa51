// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>The functions of libext2fs that are used, by their own names.</summary>
/// <remarks>Source: e2fsprogs 1.47, lib/ext2fs/ext2fs.h. <c>errcode_t</c> is a C long, hence <see cref="nint"/>.</remarks>
internal static unsafe partial class LibExt2
{
    private const string Library = "libext2fs.so.2";

    [LibraryImport(Library, EntryPoint = "ext2fs_get_library_version")]
    internal static partial int GetLibraryVersion(byte** version, byte** date);

    [LibraryImport(Library, EntryPoint = "ext2fs_initialize")]
    internal static partial nint Initialize(byte* name, int flags, Ext2SuperBlock* parameters, IoManager* manager, Ext2FileSystem** result);

    [LibraryImport(Library, EntryPoint = "ext2fs_open2")]
    internal static partial nint Open(
        byte* name, byte* ioOptions, int flags, int superBlock, uint blockSize, IoManager* manager, Ext2FileSystem** result);

    [LibraryImport(Library, EntryPoint = "ext2fs_free")]
    internal static partial void Free(Ext2FileSystem* fileSystem);

    [LibraryImport(Library, EntryPoint = "ext2fs_flush2")]
    internal static partial nint Flush(Ext2FileSystem* fileSystem, int flags);

    [LibraryImport(Library, EntryPoint = "ext2fs_allocate_tables")]
    internal static partial nint AllocateTables(Ext2FileSystem* fileSystem);

    [LibraryImport(Library, EntryPoint = "ext2fs_read_bitmaps")]
    internal static partial nint ReadBitmaps(Ext2FileSystem* fileSystem);

    [LibraryImport(Library, EntryPoint = "ext2fs_bg_flags_set")]
    internal static partial void SetGroupFlags(Ext2FileSystem* fileSystem, uint group, ushort flags);

    [LibraryImport(Library, EntryPoint = "ext2fs_group_desc_csum_set")]
    internal static partial void SetGroupChecksum(Ext2FileSystem* fileSystem, uint group);

    [LibraryImport(Library, EntryPoint = "ext2fs_read_inode_full")]
    internal static partial nint ReadInode(Ext2FileSystem* fileSystem, uint number, Ext2Inode* inode, int size);

    [LibraryImport(Library, EntryPoint = "ext2fs_write_inode_full")]
    internal static partial nint WriteInode(Ext2FileSystem* fileSystem, uint number, Ext2Inode* inode, int size);

    [LibraryImport(Library, EntryPoint = "ext2fs_new_inode")]
    internal static partial nint NewInode(Ext2FileSystem* fileSystem, uint directory, int mode, nint map, uint* result);

    [LibraryImport(Library, EntryPoint = "ext2fs_inode_alloc_stats2")]
    internal static partial void CountInode(Ext2FileSystem* fileSystem, uint number, int inUse, int isDirectory);

    [LibraryImport(Library, EntryPoint = "ext2fs_find_first_zero_generic_bmap")]
    internal static partial nint FindFirstFree(nint map, ulong start, ulong end, ulong* result);

    [LibraryImport(Library, EntryPoint = "ext2fs_find_first_set_generic_bmap")]
    internal static partial nint FindFirstUsed(nint map, ulong start, ulong end, ulong* result);

    [LibraryImport(Library, EntryPoint = "ext2fs_block_alloc_stats_range")]
    internal static partial void CountBlocks(Ext2FileSystem* fileSystem, ulong block, uint count, int inUse);

    [LibraryImport(Library, EntryPoint = "ext2fs_punch")]
    internal static partial nint Punch(
        Ext2FileSystem* fileSystem, uint number, Ext2Inode* inode, byte* blockBuffer, ulong start, ulong end);

    [LibraryImport(Library, EntryPoint = "ext2fs_bmap2")]
    internal static partial nint MapBlock(
        Ext2FileSystem* fileSystem,
        uint number,
        Ext2Inode* inode,
        byte* blockBuffer,
        int flags,
        ulong logical,
        int* resultFlags,
        ulong* physical);
}
