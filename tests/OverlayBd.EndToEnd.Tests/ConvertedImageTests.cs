// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;
using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing.Trees;

namespace OverlayBd.EndToEnd.Tests;

public sealed class ConvertedImageTests(ConvertedTortureImage image) : IClassFixture<ConvertedTortureImage>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task LayerPrefix_IsClean_AndEqualsTheOriginal_WhenTheKernelMountsIt(int layers)
    {
        (OverlayBdImage disk, BlockCache cache) = await image.OpenAsync(layers, $"cache-{layers}");
        await using (cache)
        {
            await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(
                disk, new FuseBlockDeviceOptions { Name = $"prefix-{layers}", ReadOnly = true });
            ShellResult check = await Shell.TryRunAsync("e2fsck", "-fn", device.DevicePath);
            Assert.True(check.ExitCode == 0, check.Output);

            await using KernelMount mount = await KernelMount.MountAsync(device.DevicePath, image[$"mount-{layers}"], "ro");
            FileTree expected = FileTree.FromTars(TortureImage.Layers().Take(layers).Select(layer => layer.Tar));
            Assert.Empty(FileTree.Compare(expected, FileTree.FromDirectory(mount.Path)));
        }
    }

    [Fact]
    public async Task Conversion_ElsewhereAndWithOtherThreads_GivesTheSameBytes()
    {
        foreach (int workers in new[] { 1, 3 })
        {
            await using ImageRepository target = ImageLocation.Parse($"oci:{image[$"again-{workers}"]}:again").Open(image.Client);
            ConversionResult again = await image.ConvertAsync(
                target, "again", new ImageConverterOptions { Workers = workers, WorkDirectory = image["work"] });
            Assert.Equal(image.Result.Target.Digest, again.Target.Digest);
            Assert.Empty(Directory.EnumerateFileSystemEntries(image["work"]));
        }
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Zstd, 4096)]
    [InlineData(CompressionAlgorithm.Lz4, 65536)]
    public async Task Conversion_WithOtherBlocks_HoldsTheSameFiles(CompressionAlgorithm algorithm, int blockSize)
    {
        string name = $"{algorithm}-{blockSize}";
        await using ImageRepository target = ImageLocation.Parse($"oci:{image[name]}:x").Open(image.Client);
        await image.ConvertAsync(target, "x", new ImageConverterOptions { Algorithm = algorithm, BlockSize = blockSize });
        Manifest manifest = (await target.GetManifestAsync("x", TestContext.Current.CancellationToken)).AsManifest()!;
        OverlayBdImage disk = await OverlayBdImage.OpenAsync(target, manifest, new OverlayBdImageOptions());
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(disk, new FuseBlockDeviceOptions { Name = name, ReadOnly = true });
        await using KernelMount mount = await KernelMount.MountAsync(device.DevicePath, image[$"mount-{name}"], "ro");
        Assert.Empty(FileTree.Compare(TortureImage.Tree(), FileTree.FromDirectory(mount.Path)));
    }

    [Fact]
    public void Layers_CarryUpstreamsAnnotationsAndTypes()
    {
        Assert.Equal(MediaTypes.OciManifest, image.Manifest.MediaType);
        foreach (Descriptor layer in image.Manifest.Layers)
        {
            Assert.Equal(MediaTypes.OciLayer, layer.MediaType);
            Assert.Equal(3, layer.Annotations!.Count);
            Assert.Equal(layer.Digest.ToString(), layer.Annotations[OverlayBdAnnotations.BlobDigest]);
            Assert.Equal($"{layer.Size}", layer.Annotations[OverlayBdAnnotations.BlobSize]);
            Assert.Equal("0.1.0", layer.Annotations[OverlayBdAnnotations.Version]);
        }
    }

    [Fact]
    public async Task Config_NamesTheBlobsAsDiffIds_AndKeepsTheRest()
    {
        ImageDocument document = await image.Target.GetImageDocumentAsync(image.Manifest, TestContext.Current.CancellationToken);
        Assert.Equal(image.Manifest.Layers.Select(layer => layer.Digest), document.RootFs.DiffIds);
        Assert.Equal("2024-01-01T00:00:00Z", document.Created);
    }

    [Fact]
    public async Task Conversion_OfAConvertedImage_IsRefused()
    {
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => ImageConverter.ConvertAsync(image.Target, "obd", image.Target, "twice"));
        Assert.Contains("overlaybd image already", error.Message, StringComparison.Ordinal);
    }
}
