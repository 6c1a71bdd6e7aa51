// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Mounting;

/// <summary>Tells by its first blocks which file system a device holds.</summary>
internal static class FileSystemProbe
{
    private const int SuperBlock = 1024;
    private const int Ext4MagicAt = SuperBlock + 0x38;
    private const int NeededBytes = 2048;
    private const ushort Ext4Magic = 0xEF53;
    private const uint ErofsMagic = 0xE0F5E1E2;

    public static string Find(string device)
    {
        byte[] start = new byte[NeededBytes];
        using (FileStream stream = new(device, new FileStreamOptions { Access = FileAccess.Read, BufferSize = 0 }))
        {
            stream.ReadExactly(start);
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(Ext4MagicAt)) == Ext4Magic)
        {
            return "ext4";
        }

        return BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(SuperBlock)) == ErofsMagic
            ? "erofs"
            : throw new CommandException($"{device} holds no file system that is known here (ext4, erofs).");
    }
}
