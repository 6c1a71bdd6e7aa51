// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;
using OverlayBd.Format;
using OverlayBd.Testing;

namespace OverlayBd.Conversion.Tests.Ext4;

public sealed class Ext4FileSystemTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private static readonly Ext4Attributes s_plain = new() { Mode = 0b110_100_100, ModificationTime = new FileTime(1_700_000_000, 1) };
    private readonly TempDirectory _directory = new();

    private string Image => _directory["image"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Directory_NamesComeAndGo_AgreesWithAModel()
    {
        var random = new Random(1);
        var model = new Dictionary<string, uint>();
        await using FileBlockStore store = Create(64 * MiB);
        for (int session = 0; session < 4; session++)
        {
            using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
            uint directory = session == 0
                ? fileSystem.CreateDirectory(Ext4FileSystem.RootInode, "d"u8, s_plain)
                : Find(fileSystem, Ext4FileSystem.RootInode, "d").Inode;
            for (int i = 0; i < 3000; i++)
            {
                string name = new((char)('a' + random.Next(26)), random.Next(1, 30));
                name += random.Next(200);
                byte[] bytes = Encoding.ASCII.GetBytes(name);
                if (!model.Remove(name))
                {
                    model.Add(name, fileSystem.CreateSpecial(directory, bytes, Ext4Mode.Fifo, 0, 0, s_plain));
                }
                else
                {
                    fileSystem.Remove(directory, Find(fileSystem, directory, name));
                }
            }

            fileSystem.Flush();
            Assert.Equal(
                model.OrderBy(pair => pair.Key, StringComparer.Ordinal),
                fileSystem.Enumerate(directory).Select(entry => KeyValuePair.Create(Encoding.ASCII.GetString(entry.Name), entry.Inode))
                    .OrderBy(pair => pair.Key, StringComparer.Ordinal));
            E2fsck.AssertClean(Image);
        }
    }

    [Fact]
    public async Task Directory_MoreSubdirectoriesThanCanBeCounted_IsClean()
    {
        await using FileBlockStore store = FileBlockStore.Create(Image, 2048L * MiB);
        Ext4FileSystem.Format(store);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        uint parent = fileSystem.CreateDirectory(Ext4FileSystem.RootInode, "d"u8, s_plain);
        for (int i = 0; i < 65_100; i++)
        {
            fileSystem.CreateDirectory(parent, Encoding.ASCII.GetBytes($"{i}"), s_plain);
        }

        fileSystem.Flush();
        E2fsck.AssertClean(Image);
        for (int i = 0; i < 200; i++)
        {
            fileSystem.Remove(parent, Find(fileSystem, parent, $"{i}"));
        }

        fileSystem.Flush();
        E2fsck.AssertClean(Image);
        fileSystem.Remove(Ext4FileSystem.RootInode, Find(fileSystem, Ext4FileSystem.RootInode, "d"));
        fileSystem.Flush();
        E2fsck.AssertClean(Image);
    }

    [Fact]
    public async Task CreateFile_MoreThanFitsInTheInode_KeepsItsContent()
    {
        // Every second block is taken first, so that the file lies in hundreds of pieces.
        byte[] content = new byte[3 * MiB + 1234];
        new Random(3).NextBytes(content);
        await using FileBlockStore store = Create(8 * MiB);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        for (int i = 0; fileSystem.FreeBlockCount > 0; i++)
        {
            Write(fileSystem, $"filler {i}", new byte[1]);
        }

        for (int i = 0; i < 1700; i += 2)
        {
            fileSystem.Remove(Ext4FileSystem.RootInode, Find(fileSystem, Ext4FileSystem.RootInode, $"filler {i}"));
        }

        uint file = Write(fileSystem, "f", content);
        fileSystem.Flush();
        E2fsck.AssertClean(Image);
        var tree = new Ext4Tree(fileSystem);
        Assert.True(tree.Extents(file).Count > 500);
        var read = new MemoryStream();
        tree.Read(tree.Walk().Single(node => node.Inode == file), new byte[8192], piece => read.Write(piece.Span));
        Assert.Equal(content, read.ToArray());
        fileSystem.Remove(Ext4FileSystem.RootInode, Find(fileSystem, Ext4FileSystem.RootInode, "f"));
        fileSystem.Flush();
        E2fsck.AssertClean(Image);
    }

    [Fact]
    public async Task CreateFile_MoreThanThereIsRoomFor_SaysWhatToDo()
    {
        await using FileBlockStore store = Create(8 * MiB);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        Ext4SpaceException exception = Assert.Throws<Ext4SpaceException>(
            () => fileSystem.CreateFile(Ext4FileSystem.RootInode, "f"u8, 9 * MiB, null, s_plain));
        Assert.Contains("--vsize", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateSpecial_MoreThanThereAreInodes_SaysWhatToDo()
    {
        await using FileBlockStore store = Create(2 * MiB);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        Assert.Throws<Ext4SpaceException>(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                fileSystem.CreateSpecial(Ext4FileSystem.RootInode, Encoding.ASCII.GetBytes($"{i}"), Ext4Mode.Fifo, 0, 0, s_plain);
            }
        });
    }

    [Fact]
    public async Task Open_StoreThatFails_PassesItsExceptionOn()
    {
        await using FileBlockStore store = Create(64 * MiB);
        int failures = 0;
        for (Exception? thrown = new IOException(); thrown is not null; failures++)
        {
            var failing = new FailingBlockStore(store) { ReadsBeforeFailure = failures };
            thrown = Record.Exception(() =>
            {
                using Ext4FileSystem fileSystem = Ext4FileSystem.Open(failing);
                _ = fileSystem.Enumerate(Ext4FileSystem.RootInode).Count();
            });
            if (thrown is not null)
            {
                Assert.Equal(FailingBlockStore.Message, Assert.IsType<IOException>(thrown).Message);
            }
        }

        Assert.InRange(failures, 5, 20);
    }

    [Fact]
    public async Task Flush_StoreThatFails_PassesItsExceptionOn()
    {
        await using FileBlockStore store = Create(64 * MiB);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(new FailingBlockStore(store) { FailsWrites = true });
        fileSystem.CreateDirectory(Ext4FileSystem.RootInode, "d"u8, s_plain);
        Assert.Equal(FailingBlockStore.Message, Assert.Throws<IOException>(fileSystem.Flush).Message);
    }

    [Fact]
    public async Task Dispose_WithoutFlush_GivesTheChangesUp()
    {
        await using FileBlockStore store = Create(64 * MiB);
        string before = Hash();
        using (Ext4FileSystem fileSystem = Ext4FileSystem.Open(store))
        {
            Write(fileSystem, "f", new byte[MiB]);
        }

        Assert.Equal(before, Hash());
    }

    [Fact]
    public async Task Flush_NothingChanged_WritesNothing()
    {
        await using FileBlockStore store = Create(64 * MiB);
        var counter = new CountingBlockStore(store);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(counter);
        fileSystem.Flush();
        Assert.Equal(0, counter.BytesWritten);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(4096)]
    [InlineData(65536)]
    public async Task Write_AnyCacheAndPieces_SameBytes(int cacheBlocks)
    {
        // Constant content makes the expected hash a constant of the format: no run, machine or cache size changes it.
        await using FileBlockStore store = Create(64 * MiB);
        using (Ext4FileSystem fileSystem = Ext4FileSystem.Open(store, cacheBlocks * 4096))
        {
            var random = new Random(cacheBlocks);
            byte[] content = new byte[5 * MiB + 77];
            new Random(4).NextBytes(content);
            for (int i = 0; i < 5; i++)
            {
                Ext4FileWriter writer = fileSystem.CreateFile(
                    Ext4FileSystem.RootInode, Encoding.ASCII.GetBytes($"{i}"), content.Length, null, s_plain);
                for (int at = 0; at < content.Length;)
                {
                    int count = Math.Min(random.Next(1, 100_000), content.Length - at);
                    writer.Write(content.AsSpan(at, count));
                    at += count;
                    GC.Collect(0);
                }

                writer.Complete();
            }

            fileSystem.Flush();
        }

        E2fsck.AssertClean(Image);
        Assert.True(WrittenHash == Hash(), Hash());
    }

    [Fact]
    public async Task FileSystems_InParallel_DoNotDisturbEachOther()
    {
        string[] hashes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            string path = _directory[$"image{i}"];
            await using (FileBlockStore store = FileBlockStore.Create(path, 64 * MiB))
            {
                Ext4FileSystem.Format(store);
                using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
                for (int j = 0; j < 500; j++)
                {
                    Write(fileSystem, $"{j}", new byte[j * 10]);
                }

                fileSystem.Flush();
            }

            E2fsck.AssertClean(path);
            return Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path)));
        })));
        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public async Task Open_NoFileSystem_IsInvalidData()
    {
        await using FileBlockStore store = FileBlockStore.Create(Image, 64 * MiB);
        Assert.Throws<InvalidDataException>(() => Ext4FileSystem.Open(store));
    }

    [Fact]
    public async Task Open_FeaturesThatAreNotWritten_IsInvalidData()
    {
        (int code, string output) = E2fsck.Run("mke2fs", "-q", "-t", "ext4", "-O", "metadata_csum,inline_data", Image, "64M");
        Assert.True(code == 0, output);
        await using FileBlockStore store = FileBlockStore.Open(Image);
        Assert.Throws<InvalidDataException>(() => Ext4FileSystem.Open(store));
    }

    [Fact]
    public async Task Open_FileSystemOfMke2fs_CanBeChanged()
    {
        string source = _directory["source"];
        Directory.CreateDirectory(source);
        for (int i = 0; i < 500; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(source, $"a file with a rather long name {i}"), $"{i}");
        }

        (int code, string output) = E2fsck.Run(
            "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-I", "256", "-O", "^metadata_csum,uninit_bg", "-d", source, Image, "64M");
        Assert.True(code == 0, output);
        E2fsck.Run("e2fsck", "-fyD", Image);
        await using FileBlockStore store = FileBlockStore.Open(Image);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        for (int i = 0; i < 500; i += 3)
        {
            fileSystem.Remove(
                Ext4FileSystem.RootInode, Find(fileSystem, Ext4FileSystem.RootInode, $"a file with a rather long name {i}"));
        }

        for (int i = 0; i < 500; i++)
        {
            Write(fileSystem, $"new {i}", new byte[i]);
        }

        fileSystem.Flush();
        E2fsck.AssertClean(Image);
        Assert.Equal(2 + 333 + 500, new Ext4Tree(fileSystem).Walk().Count() + 1);
    }

    [Fact]
    public async Task Image_MountedForWriting_StaysClean()
    {
        await using (FileBlockStore store = Create(64 * MiB))
        {
            using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
            for (int i = 0; i < 100; i++)
            {
                Write(fileSystem, $"{i}", new byte[i * 1000]);
            }

            fileSystem.Flush();
        }

        using (var mount = new LoopMount(Image, "loop,rw"))
        {
            for (int i = 0; i < 100; i += 2)
            {
                File.Delete(Path.Combine(mount.Path, $"{i}"));
            }

            Directory.CreateDirectory(Path.Combine(mount.Path, "new"));
            await File.WriteAllBytesAsync(Path.Combine(mount.Path, "new", "file"), new byte[10 * MiB]);
        }

        E2fsck.AssertClean(Image);
    }

    private const string WrittenHash = "26b99da65040b053912e0154d92227906839b49e2ad85e080967059cbdad69f0";

    private static DirectoryEntry Find(Ext4FileSystem fileSystem, uint directory, string name)
    {
        Assert.True(fileSystem.TryFind(directory, Encoding.ASCII.GetBytes(name), out DirectoryEntry entry), name);
        return entry;
    }

    private static uint Write(Ext4FileSystem fileSystem, string name, byte[] content)
    {
        Ext4FileWriter writer = fileSystem.CreateFile(
            Ext4FileSystem.RootInode, Encoding.ASCII.GetBytes(name), content.Length, null, s_plain);
        writer.Write(content);
        writer.Complete();
        return writer.Inode;
    }

    private FileBlockStore Create(long size)
    {
        FileBlockStore store = FileBlockStore.Create(Image, size);
        Ext4FileSystem.Format(store);
        return store;
    }

    private string Hash() => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Image)));
}
