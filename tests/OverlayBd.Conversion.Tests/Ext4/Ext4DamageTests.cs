// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Tests.Ext4;

public sealed class Ext4DamageTests
{
    private const int MiB = 1024 * 1024;

    [Fact]
    public void Read_DamagedFileSystem_EndsWithADocumentedException()
    {
        byte[] sound = Build();
        int[] blocks =
        [
            .. Enumerable.Range(0, sound.Length / 4096).Where(block => sound.AsSpan(block * 4096, 4096).ContainsAnyExcept((byte)0)),
        ];
        int refused = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            byte[] damaged = sound.ToArray();
            for (int i = 0; i < 20; i++)
            {
                int at = (blocks[random.Next(blocks.Length)] * 4096) + random.Next(4096);
                damaged[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(damaged[at] ^ (1 << random.Next(8)));
            }

            Exception? thrown = Record.Exception(() => ReadAndChange(damaged));
            Assert.True(thrown is null or InvalidDataException or IOException, $"seed {seed}: {thrown}");
            refused += thrown is null ? 0 : 1;
        }

        Assert.InRange(refused, 1, 400);
    }

    private static byte[] Build()
    {
        byte[] image = new byte[4 * MiB];
        Ext4FileSystem.Format(new MemoryBlockStore(image));
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(new MemoryBlockStore(image));
        var attributes = new Ext4Attributes
        {
            Mode = 0b111_101_101,
            ModificationTime = new FileTime(1, 0),
            ExtendedAttributes = [new("user.a"u8.ToArray(), new byte[10]), new("user.b"u8.ToArray(), new byte[200])],
        };
        uint parent = Ext4FileSystem.RootInode;
        for (int i = 0; i < 10; i++)
        {
            fileSystem.CreateSymbolicLink(parent, "link"u8, Encoding.ASCII.GetBytes(new string('t', 10 + (i * 20))), attributes);
            Ext4FileWriter file = fileSystem.CreateFile(
                parent, "file"u8, 200_000, [.. Enumerable.Range(0, 10).Select(j => new SparseSegment(j * 20_000, 10))], attributes);
            file.Write(new byte[100]);
            file.Complete();
            parent = fileSystem.CreateDirectory(parent, "directory"u8, attributes);
        }

        fileSystem.Flush();
        return image;
    }

    private static void ReadAndChange(byte[] image)
    {
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(new MemoryBlockStore(image));
        var tree = new Ext4Tree(fileSystem);
        byte[] buffer = new byte[64 * 1024];
        long limit = 100 * MiB;
        foreach (Ext4Node node in tree.Walk())
        {
            if ((node.Mode & Ext4Mode.TypeMask) == Ext4Mode.RegularFile && node.Size < limit)
            {
                tree.Read(node, buffer, _ => { });
            }
        }

        if (fileSystem.TryFind(Ext4FileSystem.RootInode, "directory"u8, out DirectoryEntry entry))
        {
            fileSystem.Remove(Ext4FileSystem.RootInode, entry);
        }

        fileSystem.Flush();
    }
}
