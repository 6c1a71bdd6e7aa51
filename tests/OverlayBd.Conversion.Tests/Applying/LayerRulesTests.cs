// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tests.Ext4;
using OverlayBd.Format;
using OverlayBd.Testing;
using OverlayBd.Testing.Tar;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Applying;

// What OCI says of layers, rule by rule; every image is checked by e2fsck as well.
public sealed class LayerRulesTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly TempDirectory _directory = new();

    private string Image => _directory["image"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Opaque_MarkerAfterContent_KeepsWhatTheLayerUnpacked()
    {
        FileTree tree = await BuildAsync(
            [TarItem.Directory("d"), TarItem.File("d/old"), TarItem.Directory("d/sub"), TarItem.File("d/sub/old")],
            [TarItem.File("d/new"), TarItem.File("d/sub/new"), TarItem.File("d/.wh..wh..opq")]);
        Assert.Equal(["", "d", "d/new", "d/sub", "d/sub/new"], tree.Nodes.Keys);
    }

    [Fact]
    public async Task Opaque_AtTheRoot_HidesEverythingButLostAndFound()
    {
        FileTree tree = await BuildAsync(
            [TarItem.Directory("d"), TarItem.File("d/old"), TarItem.File("f")],
            [TarItem.File(".wh..wh..opq"), TarItem.File("new")]);
        Assert.Equal(["", "new"], tree.Nodes.Keys);
    }

    [Fact]
    public async Task Opaque_LinkToALowerFile_IsKept()
    {
        FileTree tree = await BuildAsync(
            [TarItem.Directory("d"), TarItem.File("d/old", "content"), TarItem.File("d/other")],
            [TarItem.HardLink("d/name", "d/old"), TarItem.File("d/.wh..wh..opq")]);
        Assert.Equal(["", "d", "d/name"], tree.Nodes.Keys);
        Assert.Equal(7, tree.Nodes["d/name"].Size);
    }

    [Fact]
    public async Task Whiteout_OfLostAndFound_KeepsTheFileSystemClean()
    {
        FileTree tree = await BuildAsync([TarItem.File(".wh.lost+found")]);
        Assert.Equal([""], tree.Nodes.Keys);
    }

    [Theory]
    [InlineData(".wh.")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    public async Task Whiteout_OfNothing_IsRefused(string name) =>
        Assert.Contains("'" + name, await RefuseAsync([TarItem.File(name)]), StringComparison.Ordinal);

    [Fact]
    public async Task Whiteout_AufsBookkeeping_IsSkipped()
    {
        FileTree tree = await BuildAsync(
            [TarItem.Directory(".wh..wh.plnk"), TarItem.File(".wh..wh.plnk/1.2"), TarItem.File(".wh..wh.aufs")]);
        Assert.Equal([""], tree.Nodes.Keys);
    }

    [Fact]
    public async Task Parent_SymbolicLinks_AreFollowedWithinTheRoot()
    {
        FileTree tree = await BuildAsync(
        [
            TarItem.Directory("usr/lib"),
            TarItem.Symlink("lib", "usr/lib"),
            TarItem.Symlink("out", "../../../../usr"),
            TarItem.Symlink("absolute", "/usr/new"),
            TarItem.File("lib/a"),
            TarItem.File("out/b"),
            TarItem.File("absolute/c"),
        ]);
        Assert.Equal(["", "absolute", "lib", "out", "usr", "usr/b", "usr/lib", "usr/lib/a", "usr/new", "usr/new/c"], tree.Nodes.Keys);
    }

    [Fact]
    public async Task Parent_SymbolicLinksInACircle_AreRefused()
    {
        string message = await RefuseAsync([TarItem.Symlink("a", "b"), TarItem.Symlink("b", "a"), TarItem.File("a/f")]);
        Assert.Contains("symbolic links", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parent_File_IsRefused() =>
        Assert.Contains("no directory", await RefuseAsync([TarItem.File("f"), TarItem.File("f/g")]), StringComparison.Ordinal);

    [Fact]
    public async Task HardLink_TargetMissing_NamesLayerAndEntry()
    {
        string message = await RefuseAsync([TarItem.HardLink("link", "no/target")]);
        Assert.Contains("Layer 0", message, StringComparison.Ordinal);
        Assert.Contains("'link'", message, StringComparison.Ordinal);
        Assert.Contains("'no/target'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HardLink_OntoTheDirectoryOfItsTarget_KeepsTheFile()
    {
        FileTree tree = await BuildAsync([TarItem.Directory("d"), TarItem.File("d/f", "content")], [TarItem.HardLink("d", "d/f")]);
        Assert.Equal(["", "d"], tree.Nodes.Keys);
        Assert.Equal(7, tree.Nodes["d"].Size);
    }

    [Fact]
    public async Task HardLink_ToItself_ChangesNothing()
    {
        FileTree tree = await BuildAsync([TarItem.File("f", "content")], [TarItem.HardLink("f", "f")]);
        Assert.Equal(7, tree.Nodes["f"].Size);
    }

    [Fact]
    public async Task Name_TooLongForTheFileSystem_IsRefused() =>
        Assert.Contains("256 bytes", await RefuseAsync([TarItem.File(new string('x', 256))]), StringComparison.Ordinal);

    [Fact]
    public async Task Attributes_MoreThanFit_AreRefused()
    {
        string message = await RefuseAsync([TarItem.File("f") with { Xattrs = [("user.a"u8.ToArray(), new byte[5000])] }]);
        Assert.Contains("extended attributes", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attributes_OfOtherSystems_AreLeftOut()
    {
        FileTree tree = await BuildAsync(
            [TarItem.File("f") with { Xattrs = [("com.apple.quarantine"u8.ToArray(), [1]), ("user.a"u8.ToArray(), [2])] }]);
        Assert.Equal(["user.a"], tree.Nodes["f"].Xattrs.Keys);
    }

    [Fact]
    public async Task Attributes_AccessControlLists_AreReadBackByTheKernel()
    {
        byte[] acl = [2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xE8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
            16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255];
        await BuildAsync([TarItem.Directory("d") with
        {
            Mode = 0x1E4,
            Xattrs = [("system.posix_acl_access"u8.ToArray(), acl), ("system.posix_acl_default"u8.ToArray(), acl)],
        }]);
        using var mount = new LoopMount(Image);
        FileNode node = FileTree.FromDirectory(mount.Path).Nodes["d"];
        Assert.Equal(acl, node.Xattrs["system.posix_acl_access"]);
        Assert.Equal(acl, node.Xattrs["system.posix_acl_default"]);
    }

    [Fact]
    public async Task Root_Entry_SetsTheRootsAttributes()
    {
        FileTree tree = await BuildAsync(
            [TarItem.Directory("./") with { Mode = 0x1C9, Uid = 70000, Gid = 80000, Seconds = -5, Nanoseconds = 6 }]);
        FileNode root = tree.Nodes[""];
        Assert.Equal((0x1C9u, 70000L, 80000L, -5L, 6), (root.Mode, root.Uid, root.Gid, root.Seconds, root.Nanoseconds));
    }

    [Fact]
    public async Task Space_RunsOut_NamesTheEntryAndTheOption()
    {
        await LayerStack.CreateAsync(Image, 4 * MiB);
        IOException exception = await Assert.ThrowsAsync<Ext4SpaceException>(
            () => LayerStack.ApplyAsync(Image, "big", TarItem.File("small"), TarItem.File("large", new byte[5 * MiB])));
        Assert.Contains("big, entry 'large'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("--vsize", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Depth_BeyondAnyStack_Works()
    {
        // 3000 directories in each other, hidden again by the next layer.
        string path = string.Join('/', Enumerable.Repeat("d", 3000));
        FileTree tree = await BuildAsync([TarItem.File(path + "/f"), TarItem.Directory("e")], [TarItem.File(".wh.d")]);
        Assert.Equal(["", "e"], tree.Nodes.Keys);
    }

    // The bytes are the same on every machine, at every time, and with libext2fs 1.46 and 1.47. A change of them is a change
    // of every layer that will be made: layers of earlier versions are then no longer found again.
    [Fact]
    public async Task Bytes_OfKnownLayers_NeverChange()
    {
        await BuildAsync(
            [
                TarItem.Directory("d") with { Mode = 0b111_000_111_101, Uid = 100_000 },
                .. Enumerable.Range(0, 300).Select(i => TarItem.File($"d/{i:d100}", new byte[i * 10])),
                TarItem.Symlink("long", new string('t', 200)),
                TarItem.File("attributes") with { Xattrs = [("user.a"u8.ToArray(), new byte[500]), ("security.b"u8.ToArray(), [1])] },
                TarItem.SparseFile("sparse", TarSparseFormat.Pax10, 9 * MiB, (MiB, new byte[700]), (8 * MiB, new byte[9000])),
                TarItem.CharacterDevice("device", 300, 70_000),
                TarItem.HardLink("link", "attributes"),
            ],
            [TarItem.File("d/.wh..wh..opq"), TarItem.File("d/new", new byte[10_000]), TarItem.File(".wh.sparse"), TarItem.File("implied/f")]);
        await using FileStream image = File.OpenRead(Image);
        byte[] hash = await SHA256.HashDataAsync(image, TestContext.Current.CancellationToken);
        string actual = Convert.ToHexStringLower(hash);
        Assert.True(actual == "518c1ac093a38391493990371c9f2cf1a1f87418c99e637477f357628d2d974f", actual);
    }

    private async Task<FileTree> BuildAsync(params TarItem[][] layers)
    {
        await LayerStack.CreateAsync(Image, 32 * MiB);
        for (int i = 0; i < layers.Length; i++)
        {
            await LayerStack.ApplyAsync(Image, $"{i}", layers[i]);
            E2fsck.AssertClean(Image);
        }

        await using FileBlockStore store = FileBlockStore.Open(Image);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        return TreeReader.Read(fileSystem);
    }

    private async Task<string> RefuseAsync(TarItem[] layer)
    {
        await LayerStack.CreateAsync(Image, 32 * MiB);
        return (await Assert.ThrowsAsync<InvalidDataException>(() => LayerStack.ApplyAsync(Image, "Layer 0", layer))).Message;
    }
}
