// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.ZFile;
using OverlayBd.Images;

namespace OverlayBd.Benchmarks.Devices;

/// <summary>A raw file and an image of one lz4 layer with the same bytes, both local: what is measured is no network's.</summary>
internal sealed class SampleImage(string directory)
{
    public const int Length = 256 << 20;
    private const int BlockSize = 4096;

    // Repeated, so that this process stays small enough for its memory to mean something.
    private const int PartLength = 32 << 20;

    public string RawFile { get; } = Path.Combine(directory, "raw");

    public string CacheDirectory { get; } = Path.Combine(directory, "cache");

    public string Layer { get; } = Path.Combine(directory, "layer");

    public async Task CreateAsync()
    {
        byte[] bytes = SampleData.Load(PartLength);
        string data = Path.Combine(directory, "data");
        string index = Path.Combine(directory, "index");
        await using (LsmtWritableImage image = await LsmtWritableImage.CreateAsync(data, index, new() { VirtualSize = Length }))
        {
            await using (FileStream raw = File.Create(RawFile))
            {
                for (long offset = 0; offset < Length; offset += PartLength)
                {
                    await raw.WriteAsync(bytes);
                    await image.WriteAsync(offset, bytes);
                }
            }

            await using FileStream stored = File.Create(Layer);
            await using ZFileWriter writer = new(stored, new() { Algorithm = CompressionAlgorithm.Lz4, BlockSize = BlockSize }, leaveOpen: true);
            await image.CommitAsync(writer, new LsmtCommitOptions());
            await writer.CompleteAsync();
        }

        File.Delete(data);
        File.Delete(index);
    }

    public Task<OverlayBdImage> OpenAsync() =>
        OverlayBdImage.OpenAsync(new DeviceConfig { Lowers = [new LowerConfig { File = Layer }] }, new OverlayBdImageOptions());
}
