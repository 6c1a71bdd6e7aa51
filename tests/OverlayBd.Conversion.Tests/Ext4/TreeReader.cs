// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Ext4;

/// <summary>Turns what <see cref="Ext4Tree"/> reads into the tree the tests compare.</summary>
internal static class TreeReader
{
    internal static FileTree Read(Ext4FileSystem fileSystem)
    {
        var result = new FileTree();
        var linked = new Dictionary<uint, FileNode>();
        var tree = new Ext4Tree(fileSystem);
        byte[] buffer = new byte[64 * 1024];
        foreach (Ext4Node found in tree.Walk())
        {
            string path = Encoding.Latin1.GetString(found.Path);
            if (linked.TryGetValue(found.Inode, out FileNode? node))
            {
                result.Nodes[path] = node;
                continue;
            }

            node = new FileNode
            {
                Type = (found.Mode & Ext4Mode.TypeMask) switch
                {
                    Ext4Mode.RegularFile => '0',
                    Ext4Mode.SymbolicLink => '2',
                    Ext4Mode.CharacterDevice => '3',
                    Ext4Mode.BlockDevice => '4',
                    Ext4Mode.Directory => '5',
                    Ext4Mode.Fifo => '6',
                    _ => '?',
                },
                Mode = found.Mode & Ext4Mode.PermissionMask,
                Uid = found.Uid,
                Gid = found.Gid,
                Seconds = found.ModificationTime.Seconds,
                Nanoseconds = found.ModificationTime.Nanoseconds,
                Size = found.Size,
                Target = found.LinkTarget,
                Major = found.DeviceMajor,
                Minor = found.DeviceMinor,
            };
            foreach (ExtendedAttribute attribute in found.ExtendedAttributes)
            {
                node.Xattrs[Encoding.Latin1.GetString(attribute.Name)] = attribute.Value;
            }

            if (node.Type == '0')
            {
                using var hash = new ContentHash();
                long at = 0;
                tree.Read(found, buffer, piece =>
                {
                    hash.Append(at, piece.Span);
                    at += piece.Length;
                });
                node.Hash = hash.Complete(found.Size);
            }

            linked[found.Inode] = node;
            result.Nodes[path] = node;
        }

        return result;
    }
}
