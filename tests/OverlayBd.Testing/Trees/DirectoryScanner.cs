// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Testing.Trees;

/// <summary>Reads a directory of this machine into a <see cref="FileTree"/>, names as bytes.</summary>
internal static unsafe class DirectoryScanner
{
    private const int OpenCloseOnExec = 0x80000;

    public static FileTree Scan(string root)
    {
        var tree = new FileTree();
        Add(tree, [], [.. Encoding.UTF8.GetBytes(root), 0], []);
        return tree;
    }

    private static void Add(FileTree tree, Dictionary<ulong, FileNode> linked, byte[] path, byte[] relative)
    {
        string key = Encoding.Latin1.GetString(relative);
        Native.Statx stat;
        fixed (byte* pointer = path)
        {
            Check(Native.statx(Native.AtFdCwd, pointer, Native.AtSymlinkNoFollow, Native.StatxBasicStats, &stat), path);
        }

        if (stat.LinkCount > 1 && linked.TryGetValue(stat.Inode, out FileNode? node))
        {
            tree.Nodes[key] = node;
            return;
        }

        node = new FileNode
        {
            Type = TypeOf(stat.Mode),
            Mode = stat.Mode & 0xfffu,
            Uid = stat.Uid,
            Gid = stat.Gid,
            Seconds = stat.ModificationSeconds,
            Nanoseconds = (int)stat.ModificationNanoseconds,
            Xattrs = Xattrs(path),
        };
        tree.Nodes[key] = node;
        switch (node.Type)
        {
            case '0':
                node.Size = (long)stat.Size;
                node.Hash = Hash(path, node.Size);
                break;
            case '2':
                node.Target = Target(path);
                break;
            case '3' or '4':
                node.Major = stat.DeviceMajor;
                node.Minor = stat.DeviceMinor;
                break;
        }

        if (node.Type != '5')
        {
            linked[stat.Inode] = node;
            return;
        }

        // Through the open directory, because a path below it may be longer than the kernel takes in one piece.
        using SafeFileHandle directory = Open(path);
        byte[] prefix = Encoding.ASCII.GetBytes($"/proc/self/fd/{directory.DangerousGetHandle()}/");
        foreach (byte[] name in Names(path))
        {
            Add(tree, linked, [.. prefix, .. name, 0], relative.Length == 0 ? name : [.. relative, (byte)'/', .. name]);
        }

        // mkfs leaves it in every new file system.
        if (key == "lost+found" && node.Uid == 0 && !tree.Nodes.Keys.Any(other => other.StartsWith("lost+found/", StringComparison.Ordinal)))
        {
            tree.Nodes.Remove(key);
        }
    }

    private static char TypeOf(uint mode) => (mode & 0xf000) switch
    {
        0x8000 => '0',
        0xa000 => '2',
        0x2000 => '3',
        0x6000 => '4',
        0x4000 => '5',
        0x1000 => '6',
        _ => 's',
    };

    private static List<byte[]> Names(byte[] path)
    {
        var names = new List<byte[]>();
        nint directory;
        fixed (byte* pointer = path)
        {
            directory = Native.opendir(pointer);
            Check(directory == 0 ? -1 : 0, path);
        }

        try
        {
            for (Native.Dirent* entry; (entry = Native.readdir(directory)) is not null;)
            {
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(&entry->Name);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                {
                    names.Add(name.ToArray());
                }
            }
        }
        finally
        {
            _ = Native.closedir(directory);
        }

        return names;
    }

    private static byte[] Target(byte[] path)
    {
        byte[] buffer = new byte[8192];
        fixed (byte* pointer = path, target = buffer)
        {
            return buffer[..(int)Check(Native.readlink(pointer, target, buffer.Length), path)];
        }
    }

    private static SortedDictionary<string, byte[]> Xattrs(byte[] path)
    {
        var xattrs = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        byte[] list = new byte[64 * 1024];
        byte[] value = new byte[64 * 1024];
        fixed (byte* pointer = path, listPointer = list, valuePointer = value)
        {
            nint length = Native.llistxattr(pointer, listPointer, list.Length);
            if (length < 0 && Marshal.GetLastPInvokeError() == 95)
            {
                return xattrs;
            }

            Check(length, path);
            for (int at = 0; at < length;)
            {
                int end = Array.IndexOf(list, (byte)0, at);
                nint size = Check(Native.lgetxattr(pointer, listPointer + at, valuePointer, value.Length), path);
                xattrs[Encoding.Latin1.GetString(list, at, end - at)] = value[..(int)size];
                at = end + 1;
            }
        }

        return xattrs;
    }

    private static string Hash(byte[] path, long size)
    {
        using SafeFileHandle file = Open(path);
        using var hash = new ContentHash();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1024 * 1024);
        try
        {
            long end = 0;
            for (long at = 0; (at = NextData(file, end, path)) >= 0;)
            {
                end = Check(Native.lseek(file, at, Native.SeekHole), path);
                while (at < end)
                {
                    int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
                    if (read == 0)
                    {
                        throw new EndOfStreamException($"'{Encoding.UTF8.GetString(path)}' ends at byte {at} of {size}");
                    }

                    hash.Append(at, buffer.AsSpan(0, read));
                    at += read;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return hash.Complete(size);
    }

    /// <summary>Where the next data at or behind an offset are; -1 when there are only holes.</summary>
    private static long NextData(SafeFileHandle file, long offset, byte[] path)
    {
        const int NoSuchAddress = 6; // ENXIO
        nint found = Native.lseek(file, offset, Native.SeekData);
        return found < 0 && Marshal.GetLastPInvokeError() == NoSuchAddress ? -1 : Check(found, path);
    }

    private static SafeFileHandle Open(byte[] path)
    {
        fixed (byte* pointer = path)
        {
            return new SafeFileHandle(Check(Native.open(pointer, OpenCloseOnExec), path), ownsHandle: true);
        }
    }

    private static nint Check(nint result, byte[] path)
    {
        int error = Marshal.GetLastPInvokeError();
        return result >= 0
            ? result
            : throw new IOException(
                $"'{Encoding.UTF8.GetString(path.AsSpan(0, path.Length - 1))}': {new Win32Exception(error).Message} (errno {error})");
    }
}
