// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tests.Ext4;
using OverlayBd.Format;
using OverlayBd.Testing;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Applying;

public sealed class TarLayerApplierTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Image => _directory["image"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Apply_TortureImage_EachPrefixIsCleanAndTheWholeEqualsTheOracle()
    {
        var watch = new Stopwatch();
        await LayerStack.CreateAsync(Image);
        var tars = new List<byte[]>();
        foreach (TortureLayer layer in TortureImage.Layers())
        {
            watch.Start();
            await LayerStack.ApplyAsync(Image, $"layer {tars.Count}", new MemoryStream(layer.Blob));
            watch.Stop();
            tars.Add(layer.Tar);
            E2fsck.AssertClean(Image);
        }

        FileTree expected = FileTree.FromTars(tars);
        await using (FileBlockStore store = FileBlockStore.Open(Image))
        {
            using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
            Assert.Empty(FileTree.Compare(expected, TreeReader.Read(fileSystem)));
        }

        using (var mount = new LoopMount(Image))
        {
            Assert.Empty(FileTree.Compare(expected, FileTree.FromDirectory(mount.Path)));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Applied in {watch.Elapsed}.");
    }

    [Fact]
    public async Task Apply_SameLayersTwice_SameBytes()
    {
        Assert.Equal(await BuildAsync("first"), await BuildAsync("second"));
    }

    private async Task<string> BuildAsync(string name)
    {
        string path = _directory[name];
        await LayerStack.CreateAsync(path);
        int number = 0;
        foreach (TortureLayer layer in TortureImage.Layers())
        {
            await LayerStack.ApplyAsync(path, $"layer {number++}", new MemoryStream(layer.Blob));
        }

        await using FileStream image = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(image, TestContext.Current.CancellationToken));
    }
}
