// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;
using OverlayBd.Format;

namespace OverlayBd.Conversion.Ext4;

internal sealed unsafe partial class Ext4FileSystem
{
    private const uint FirstInode = 11;
    private const uint DynamicRevision = 1;
    private const ushort ContinueOnErrors = 1;
    private const byte HalfMd4 = 1;
    private const byte LogGroupsPerFlex = 4;
    private const ushort InodeTableZeroed = 4;
    private const ushort NeverCheck = ushort.MaxValue;

    /// <summary>Makes an empty file system over the whole of a store that reads as zeros.</summary>
    /// <remarks>
    /// No journal, no backup of the super block, bitmaps and inode tables left unwritten until they are used: an empty
    /// file system of any size takes some dozens of blocks, and Linux 4.19 and later mount it.
    /// </remarks>
    /// <param name="store">The store; not owned.</param>
    /// <param name="options">The constants of the file system.</param>
    /// <exception cref="ArgumentException">The store is too small.</exception>
    /// <exception cref="IOException">The store failed.</exception>
    /// <exception cref="PlatformNotSupportedException">libext2fs is missing or of an unknown version.</exception>
    internal static void Format(BlockStore store, Ext4FormatOptions? options = null)
    {
        options ??= new Ext4FormatOptions();
        const long smallest = 2 * 1024 * 1024;
        ArgumentOutOfRangeException.ThrowIfLessThan(store.Length, smallest, nameof(store));
        Ext2SuperBlock parameters = Parameters(store.Length);
        using var handle = Ext2Handle.Initialize(new WriteBackCache(store), in parameters);
        Ext2FileSystem* native = handle.FileSystem;
        SetConstants(native, options);
        handle.Check(LibExt2.AllocateTables(native), "The inode tables cannot be placed");
        for (uint group = 0; group < native->GroupCount; group++)
        {
            // The store reads as zeros, so nobody has to clear the tables later.
            LibExt2.SetGroupFlags(native, group, InodeTableZeroed);
            LibExt2.SetGroupChecksum(native, group);
        }

        for (uint inode = 1; inode < FirstInode; inode++)
        {
            LibExt2.CountInode(native, inode, 1, inode == RootInode ? 1 : 0);
        }

        using var fileSystem = new Ext4FileSystem(handle);
        fileSystem.WriteNewDirectory(RootInode, RootInode, new Ext4Attributes { Mode = 0b111_101_101, ModificationTime = options.Time });
        fileSystem.CreateDirectory(
            RootInode, "lost+found"u8, new Ext4Attributes { Mode = 0b111_000_000, ModificationTime = options.Time });
        fileSystem.Flush();
    }

    private static Ext2SuperBlock Parameters(long length)
    {
        ulong blocks = (ulong)length / BlockSize;
        bool wide = blocks > uint.MaxValue;
        return new Ext2SuperBlock
        {
            Revision = DynamicRevision,
            LogBlockSize = LogBlockSize,
            LogClusterSize = LogBlockSize,
            BlockCountLow = (uint)blocks,
            BlockCountHigh = (uint)(blocks >> 32),
            InodeCount = Ext4FormatOptions.InodeCount(length),
            InodeSize = Ext2Inode.ByteSize,
            FirstInode = FirstInode,
            OnErrors = ContinueOnErrors,
            MaximumMountCount = NeverCheck,
            LogGroupsPerFlex = LogGroupsPerFlex,
            CompatibleFeatures =
                Ext4Features.ExtendedAttributes | Ext4Features.DirectoryIndex | Ext4Features.SparseSuper2,
            IncompatibleFeatures = Ext4Features.FileType | Ext4Features.Extents | Ext4Features.FlexibleGroups
                | (wide ? Ext4Features.SixtyFourBit : 0),
            ReadOnlyCompatibleFeatures = Ext4Features.KnownReadOnlyCompatible,
        };
    }

    private static void SetConstants(Ext2FileSystem* native, Ext4FormatOptions options)
    {
        Ext2SuperBlock* super = native->SuperBlock;
        uint seconds = (uint)Math.Clamp(options.Time.Seconds, 1, uint.MaxValue);
        native->Now = seconds;
        super->CreationTime = seconds;
        super->LastCheckTime = seconds;
        super->WriteTime = seconds;
        super->MountTime = 0;
        new Span<byte>(super->TimesHigh, 4).Clear();
        super->HashVersion = HalfMd4;
        super->KibibytesWritten = 0;
        options.Uuid.TryWriteBytes(new Span<byte>(super->Uuid, 16), bigEndian: true, out _);
        options.HashSeed.TryWriteBytes(new Span<byte>(super->HashSeed, 16), bigEndian: true, out _);
    }
}
