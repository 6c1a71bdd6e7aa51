// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Ext4;

/// <summary>A directory with an index of its names in memory.</summary>
/// <remarks>
/// Finding and adding a name takes the same time however many there are.
/// The blocks are the linear kind that every reader understands. A hash tree that an earlier writer left is turned
/// into plain records by the first change, which its format allows for.
/// </remarks>
internal sealed class Ext4Directory
{
    private const int BlockSize = WriteBackCache.BlockSize;
    private const int OffsetBits = 10;
    private readonly Ext4FileSystem _fileSystem;
    private readonly NameTable _names = new();
    private readonly List<ulong> _blocks = [];
    private readonly List<ushort> _gaps = [];
    private readonly byte[] _buffer = new byte[BlockSize];
    private int _lastUsed;
    private int _hopeless = int.MaxValue; // no block has a gap of so many bytes
    private bool _isHashed;

    private Ext4Directory(Ext4FileSystem fileSystem, uint number)
    {
        _fileSystem = fileSystem;
        Number = number;
    }

    /// <summary>Gets the directory's inode number.</summary>
    internal uint Number { get; }

    /// <summary>Gets the number of names.</summary>
    internal int Count => _names.Count;

    /// <summary>Reads a directory.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    internal static Ext4Directory Load(Ext4FileSystem fileSystem, uint number)
    {
        var directory = new Ext4Directory(fileSystem, number);
        Interop.Ext2Inode inode = fileSystem.ReadInode(number);
        directory._isHashed = (inode.Flags & Ext4FileSystem.HashedDirectoryFlag) != 0;
        foreach (ulong block in fileSystem.DirectoryBlocks(number, inode))
        {
            directory.AddBlock(block);
        }

        return directory;
    }

    /// <summary>Reads the names of a directory without an index of them.</summary>
    internal static IEnumerable<DirectoryEntry> Enumerate(Ext4FileSystem fileSystem, uint number)
    {
        byte[] buffer = new byte[BlockSize];
        foreach (ulong block in fileSystem.DirectoryBlocks(number, fileSystem.ReadInode(number)))
        {
            fileSystem.Cache.Read((long)block * BlockSize, buffer);
            foreach (DirectoryEntry entry in Parse(buffer, number))
            {
                yield return entry;
            }
        }
    }

    /// <summary>Finds a name.</summary>
    internal bool TryFind(ReadOnlySpan<byte> name, out DirectoryEntry entry)
    {
        if (!TryLocate(name, out _, out int at))
        {
            entry = default;
            return false;
        }

        var records = new DirectoryBlock(_buffer, Number);
        entry = new DirectoryEntry(records.Inode(at), records.Type(at), name.ToArray());
        return true;
    }

    /// <summary>Adds a name that is not there yet.</summary>
    internal void Add(ReadOnlySpan<byte> name, uint inode, byte type)
    {
        Linearize();
        int block = FindGap(DirectoryBlock.Need(name.Length));
        if (block < 0)
        {
            DirectoryBlock.Clear(_buffer);
            ulong physical = _fileSystem.AppendDirectoryBlock(Number, (uint)_blocks.Count);
            _fileSystem.Cache.WriteContent((long)physical * BlockSize, _buffer);
            block = _blocks.Count;
            _blocks.Add(physical);
            _gaps.Add(BlockSize);
        }

        ReadBlock(block);
        var records = new DirectoryBlock(_buffer, Number);
        int at = records.Insert(name, inode, type);
        _names.Add(NameTable.Hash(name), Place(block, at));
        WriteBlock(block, records);
        _lastUsed = block;
    }

    /// <summary>Takes a name out, when it is there.</summary>
    internal void Remove(ReadOnlySpan<byte> name)
    {
        Linearize();
        if (TryLocate(name, out int block, out int at))
        {
            var records = new DirectoryBlock(_buffer, Number);
            records.Remove(at);
            _names.Remove(NameTable.Hash(name), Place(block, at));
            WriteBlock(block, records);
            _hopeless = int.MaxValue;
        }
    }

    private static List<DirectoryEntry> Parse(byte[] buffer, uint number)
    {
        var entries = new List<DirectoryEntry>();
        var records = new DirectoryBlock(buffer, number);
        for (int at = 0; at < BlockSize; at = records.Next(at))
        {
            _ = records.Next(at);
            ReadOnlySpan<byte> name = records.Name(at);
            if (records.Inode(at) != 0 && !IsSelfOrParent(name))
            {
                entries.Add(new DirectoryEntry(records.Inode(at), records.Type(at), name.ToArray()));
            }
        }

        return entries;
    }

    private static bool IsSelfOrParent(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);

    private static uint Place(int block, int at) => ((uint)block << OffsetBits) | ((uint)at / 4);

    private void AddBlock(ulong physical)
    {
        int block = _blocks.Count;
        _blocks.Add(physical);
        _gaps.Add(0);
        ReadBlock(block);
        var records = new DirectoryBlock(_buffer, Number);
        for (int at = 0; at < BlockSize; at = records.Next(at))
        {
            _gaps[block] = (ushort)Math.Max(_gaps[block], records.Gap(at));
            if (records.Inode(at) != 0)
            {
                _names.Add(NameTable.Hash(records.Name(at)), Place(block, at));
            }
        }
    }

    private bool TryLocate(ReadOnlySpan<byte> name, out int block, out int at)
    {
        uint hash = NameTable.Hash(name);
        uint probe = 0;
        while (_names.TryNext(hash, ref probe, out uint place))
        {
            block = (int)(place >> OffsetBits);
            at = (int)(place & ((1u << OffsetBits) - 1)) * 4;
            ReadBlock(block);
            if (new DirectoryBlock(_buffer, Number).Name(at).SequenceEqual(name))
            {
                return true;
            }
        }

        block = 0;
        at = 0;
        return false;
    }

    // The block of the last addition first: names mostly come one after the other.
    private int FindGap(int need)
    {
        if (_lastUsed < _gaps.Count && _gaps[_lastUsed] >= need)
        {
            return _lastUsed;
        }

        if (need >= _hopeless)
        {
            return -1;
        }

        int block = CollectionsMarshal.AsSpan(_gaps).IndexOfAnyInRange((ushort)need, ushort.MaxValue);
        if (block < 0)
        {
            _hopeless = need;
        }

        return block;
    }

    private void ReadBlock(int block) => _fileSystem.Cache.Read((long)_blocks[block] * BlockSize, _buffer);

    private void WriteBlock(int block, DirectoryBlock records)
    {
        _gaps[block] = (ushort)records.LargestGap();
        _fileSystem.Cache.Write((long)_blocks[block] * BlockSize, _buffer);
    }

    private void Linearize()
    {
        if (_isHashed)
        {
            _fileSystem.ClearInodeFlag(Number, Ext4FileSystem.HashedDirectoryFlag);
            _isHashed = false;
        }
    }
}
