// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>ZFiles and contents for tests.</summary>
internal static class ZFiles
{
    /// <summary>Writes <paramref name="content"/> as a ZFile, in pieces of odd lengths.</summary>
    public static async Task<byte[]> WriteAsync(
        byte[] content, CompressionAlgorithm algorithm, int blockSize, int workers = 1, bool overwriteHeader = false)
    {
        var options = new ZFileWriterOptions
        {
            Algorithm = algorithm,
            BlockSize = blockSize,
            Workers = workers,
            OverwriteHeader = overwriteHeader,
        };
        using var output = new MemoryStream();
        await using (var writer = new ZFileWriter(output, options, leaveOpen: true))
        {
            var random = new Random(3);
            for (int offset = 0; offset < content.Length;)
            {
                int count = Math.Min(content.Length - offset, random.Next(1, 100_000));
                await writer.WriteAsync(content.AsMemory(offset, count));
                offset += count;
            }
        }

        return output.ToArray();
    }

    /// <summary>Everything a source holds.</summary>
    public static async Task<byte[]> ReadAllAsync(BlockSource source)
    {
        byte[] content = new byte[source.Length];
        await source.ReadAsync(0, content);
        return content;
    }

    /// <summary>Compares, and says where the first difference is instead of printing a megabyte.</summary>
    public static void AssertSame(byte[] expected, byte[] actual)
    {
        int same = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(same == expected.Length && same == actual.Length, $"{expected.Length} and {actual.Length} bytes differ from byte {same} on");
    }

    /// <summary>Bytes that compress: words of a small vocabulary, then some that do not.</summary>
    public static byte[] Text(int seed, int length)
    {
        var random = new Random(seed);
        byte[] content = new byte[length];
        for (int i = 0; i < length;)
        {
            int word = random.Next(200);
            for (int end = Math.Min(length, i + 3 + word % 9); i < end; i++)
            {
                content[i] = (byte)('a' + (word + i % 3) % 26);
            }
        }

        random.NextBytes(content.AsSpan(length - length / 8));
        return content;
    }
}
