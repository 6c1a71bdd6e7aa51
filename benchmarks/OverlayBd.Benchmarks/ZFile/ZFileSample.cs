// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Benchmarks.Native;
using OverlayBd.Format;
using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Benchmarks.ZFile;

/// <summary>A ZFile in memory, and the same blocks compressed by the native library.</summary>
internal sealed class ZFileSample
{
    public const int Length = 32 * 1024 * 1024;
    private readonly byte[] _nativeBlocks;
    private readonly int[] _starts;

    private ZFileSample(byte[] data, CompressionAlgorithm algorithm, int blockSize, ZFileSource source)
    {
        Data = data;
        Source = source;
        int bound = blockSize + blockSize / 16 + 512;
        _starts = new int[Length / blockSize + 1];
        _nativeBlocks = new byte[(long)(Length / blockSize) * bound];
        for (int i = 0; i < _starts.Length - 1; i++)
        {
            int length = NativeCodec.Compress(algorithm, data.AsSpan(i * blockSize, blockSize), _nativeBlocks.AsSpan(_starts[i], bound));
            _starts[i + 1] = _starts[i] + length;
        }
    }

    public byte[] Data { get; }

    public ZFileSource Source { get; }

    public ReadOnlySpan<byte> NativeBlock(int index) => _nativeBlocks.AsSpan(_starts[index].._starts[index + 1]);

    public static async Task<ZFileSample> CreateAsync(CompressionAlgorithm algorithm, int blockSize)
    {
        byte[] data = SampleData.Load(Length);
        var stored = new MemoryStream();
        await using (var writer = new ZFileWriter(stored, new ZFileWriterOptions { Algorithm = algorithm, BlockSize = blockSize }, leaveOpen: true))
        {
            await writer.WriteAsync(data);
            await writer.CompleteAsync();
        }

        ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored.ToArray()), "sample");
        return new ZFileSample(data, algorithm, blockSize, source);
    }
}
