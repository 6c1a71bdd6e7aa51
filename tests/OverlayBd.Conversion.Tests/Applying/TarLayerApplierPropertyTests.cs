// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tests.Ext4;
using OverlayBd.Format;
using OverlayBd.Testing;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Applying;

public sealed class TarLayerApplierPropertyTests
{
    private const int Layers = 3;

    [Fact]
    public async Task Apply_RandomLayers_EveryPrefixIsCleanAndEqualsTheOracle()
    {
        for (int seed = 0; seed < 8; seed++)
        {
            await CheckAsync(seed);
        }
    }

    private static async Task CheckAsync(int seed)
    {
        using var directory = new TempDirectory();
        string image = directory["image"];
        await LayerStack.CreateAsync(image, 32 * 1024 * 1024);
        var layers = new RandomLayers(seed);
        var tars = new List<byte[]>();
        while (tars.Count < Layers)
        {
            tars.Add(layers.Next(entries: 20));
            await LayerStack.ApplyAsync(image, $"seed {seed}", new MemoryStream(tars[^1]));
            E2fsck.AssertClean(image);
            await using FileBlockStore store = FileBlockStore.Open(image);
            using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
            IReadOnlyList<string> differences = FileTree.Compare(FileTree.FromTars(tars), TreeReader.Read(fileSystem));
            Assert.True(differences.Count == 0, $"seed {seed}, layer {tars.Count}: {string.Join('\n', differences)}");
        }
    }
}
