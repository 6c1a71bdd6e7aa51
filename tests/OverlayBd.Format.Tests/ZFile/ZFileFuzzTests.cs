// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format.Compression;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>Whatever the bytes are, opening and reading gives the content or a format error, in bounded memory.</summary>
public sealed class ZFileFuzzTests
{
    private const int BlockSize = 4096;
    private static readonly byte[] s_content = ZFiles.Text(6, 60_000);

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4, false, true)]
    [InlineData(CompressionAlgorithm.Lz4, false, false)]
    [InlineData(CompressionAlgorithm.Lz4, true, true)]
    [InlineData(CompressionAlgorithm.Zstd, false, true)]
    [InlineData(CompressionAlgorithm.Zstd, true, false)]
    public async Task EveryByteOfHeaderAndTrailer_Changed(CompressionAlgorithm algorithm, bool overwriteHeader, bool digest)
    {
        byte[] stored = await StoreAsync(algorithm, overwriteHeader, digest);
        foreach (int header in (int[])[0, stored.Length - 512])
        {
            for (int i = 0; i < 512; i++)
            {
                byte old = stored[header + i];
                foreach (int value in (int[])[0x00, 0xFF, 0x80, old ^ 1, old + 1])
                {
                    stored[header + i] = (byte)value;
                    await ExpectContentOrFormatErrorAsync(stored, digest);
                }

                stored[header + i] = old;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryJumpTableEntry_Changed(bool digest)
    {
        byte[] stored = await StoreAsync(CompressionAlgorithm.Lz4, false, digest);
        int count = (s_content.Length + BlockSize - 1) / BlockSize;
        int table = stored.Length - 512 - 4 * count;
        for (int entry = table; entry < table + 4 * count; entry += 4)
        {
            uint old = BinaryPrimitives.ReadUInt32LittleEndian(stored.AsSpan(entry));
            foreach (uint value in (uint[])[0, 1, 4, 5, old - 1, old + 1, 4200, 65535, 65536, int.MaxValue, uint.MaxValue])
            {
                BinaryPrimitives.WriteUInt32LittleEndian(stored.AsSpan(entry), value);
                await ExpectContentOrFormatErrorAsync(stored, true);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(stored.AsSpan(entry), old);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryLength_Truncated(bool overwriteHeader)
    {
        byte[] stored = await StoreAsync(CompressionAlgorithm.Lz4, overwriteHeader, true);
        for (int length = 0; length < stored.Length; length += length < 1100 || length > stored.Length - 1100 ? 1 : 97)
        {
            await ExpectContentOrFormatErrorAsync(stored[..length], true);
        }
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4)]
    [InlineData(CompressionAlgorithm.Zstd)]
    public async Task RandomBits_Flipped(CompressionAlgorithm algorithm)
    {
        var random = new Random(8);
        byte[] good = await StoreAsync(algorithm, false, true);
        for (int i = 0; i < 1500; i++)
        {
            byte[] stored = [.. good];
            for (int flips = random.Next(1, 10); flips > 0; flips--)
            {
                stored[random.Next(stored.Length)] ^= (byte)(1 << random.Next(8));
            }

            await ExpectContentOrFormatErrorAsync(stored, true);
        }
    }

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4)]
    [InlineData(CompressionAlgorithm.Zstd)]
    public async Task BlocksOfRandomBytes_WithGoodChecksums(CompressionAlgorithm algorithm)
    {
        var random = new Random(9);
        byte[] good = await StoreAsync(algorithm, false, true);
        await using ZFileSource layout = await ZFileSource.OpenAsync(new MemoryBlockSource(good), "test");
        for (int i = 0; i < 1000; i++)
        {
            byte[] stored = [.. good];
            ZFileBlock block = layout.GetBlock(random.Next(layout.BlockCount));
            Memory<byte> bytes = stored.AsMemory((int)block.StoredOffset, block.StoredLength - 4);
            for (int flips = random.Next(1, 5); flips > 0; flips--)
            {
                bytes.Span[random.Next(Math.Min(bytes.Length, 40))] = (byte)random.Next(256);
            }

            uint checksum = Crc32C.Append(100007, bytes.Span);
            BinaryPrimitives.WriteUInt32LittleEndian(stored.AsSpan((int)block.StoredOffset + bytes.Length), checksum);
            await ExpectContentOrFormatErrorAsync(stored, false);
        }
    }

    [Fact]
    public async Task AllZeroJumpTable_IsAFormatErrorThatNamesTheEntry()
    {
        byte[] stored = await StoreAsync(CompressionAlgorithm.Lz4, false, false);
        int count = (s_content.Length + BlockSize - 1) / BlockSize;
        stored.AsSpan(stored.Length - 512 - 4 * count, 4 * count).Clear();
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test"));
        Assert.Contains("gives block 0 a stored length of 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HugeCounts_AreRefused_BeforeAnythingIsAllocated()
    {
        byte[] stored = await StoreAsync(CompressionAlgorithm.Lz4, true, false);
        foreach (long count in (long[])[1_000_000, 1_000_000_000, 1_000_000_001, long.MaxValue, -1])
        {
            BinaryPrimitives.WriteInt64LittleEndian(stored.AsSpan(48), count);
            BinaryPrimitives.WriteInt64LittleEndian(stored.AsSpan(56), unchecked(count * BlockSize));
            long before = GC.GetAllocatedBytesForCurrentThread();
            await Assert.ThrowsAsync<InvalidDataException>(async () => await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test"));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
        }
    }

    private static async Task<byte[]> StoreAsync(CompressionAlgorithm algorithm, bool overwriteHeader, bool digest)
    {
        byte[] stored = await ZFiles.WriteAsync(s_content, algorithm, BlockSize, overwriteHeader: overwriteHeader);
        if (!digest)
        {
            // Without digests nothing but the checks of each single field stands between a changed byte and the reader.
            stored[32] &= 0b1110_1111;
            stored[stored.Length - 512 + 32] &= 0b1110_1111;
        }

        return stored;
    }

    private static async Task ExpectContentOrFormatErrorAsync(byte[] stored, bool sameContent)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            await using ZFileSource source = await ZFileSource.OpenAsync(new MemoryBlockSource(stored), "test");
            Assert.InRange(source.Length, 0, 100_000_000);
            byte[] content = await ZFiles.ReadAllAsync(source);
            Assert.True(!sameContent || content.AsSpan().SequenceEqual(s_content), "damage went unnoticed");
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            Assert.NotEmpty(error.Message);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }
}
