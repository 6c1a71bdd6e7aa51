// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Applying;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;
using OverlayBd.Format;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Applying;

/// <summary>Applies layers to an image in a file, each in a session of its own as a conversion does.</summary>
internal static class LayerStack
{
    internal const long DefaultSize = 256L * 1024 * 1024;

    internal static async Task CreateAsync(string path, long size = DefaultSize)
    {
        await using FileBlockStore store = FileBlockStore.Create(path, size);
        Ext4FileSystem.Format(store);
    }

    internal static Task ApplyAsync(string path, string name, params TarItem[] items) =>
        ApplyAsync(path, name, new MemoryStream(TarBuilder.Build(TarFormat.Pax, items)));

    internal static async Task ApplyAsync(string path, string name, Stream blob)
    {
        await using FileBlockStore store = FileBlockStore.Open(path);
        using Ext4FileSystem fileSystem = Ext4FileSystem.Open(store);
        await using var reader = new TarLayerReader(LayerDecompression.Open(blob, name), name);
        await TarLayerApplier.ApplyAsync(reader, fileSystem, name, TestContext.Current.CancellationToken);
        fileSystem.Flush();
    }
}
