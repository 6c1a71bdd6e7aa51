// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Trace;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Trace;

public sealed class TraceReaderTests
{
    private static TraceRecord[] RandomRecords(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            long offset = random.NextInt64();
            return new TraceRecord(
                random.Next(2) == 0 ? TraceOperation.Read : TraceOperation.Write, random.Next(), offset, random.NextInt64(long.MaxValue - offset));
        })];
    }

    private static async Task<byte[]> WriteAsync(params TraceRecord[] records)
    {
        using var output = new MemoryStream();
        await using (var writer = new TraceWriter(output, leaveOpen: true))
        {
            foreach (TraceRecord record in records)
            {
                await writer.WriteAsync(record);
            }

            await writer.CompleteAsync();
            Assert.Equal(records.Length, writer.Count);
            Assert.Equal(output.Length, output.Position);
        }

        return output.ToArray();
    }

    private static Task<IReadOnlyList<TraceRecord>> ReadAsync(byte[] trace) => TraceReader.ReadAsync(new MemoryStream(trace), trace.Length, "t");

    private static byte[] WithChecksum(byte[] trace)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(trace.AsSpan(16), Crc32C.Append(0, trace.AsSpan(24)));
        return trace;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2047)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(10_000)]
    public async Task Records_ComeBack(int count)
    {
        TraceRecord[] records = RandomRecords(count, count);
        byte[] trace = await WriteAsync(records);
        Assert.Equal(24 + (24 * count), trace.Length);
        Assert.Equal(records, await ReadAsync(trace));
    }

    [Fact]
    public async Task Trace_WithinAStream_StartsWhereTheStreamStands()
    {
        TraceRecord[] records = RandomRecords(3, 1);
        using var stream = new MemoryStream();
        stream.Write("before"u8);
        await using (var writer = new TraceWriter(stream, leaveOpen: true))
        {
            foreach (TraceRecord record in records)
            {
                await writer.WriteAsync(record);
            }

            await writer.CompleteAsync();
        }

        stream.Write("after"u8);
        stream.Position = 6;
        Assert.Equal(records, await TraceReader.ReadAsync(stream, 24 + (3 * 24), "t"));
    }

    [Fact]
    public async Task File_Loads_AndIsRecognised()
    {
        using var files = new TempDirectory();
        TraceRecord[] records = RandomRecords(5, 5);
        byte[] trace = await WriteAsync(records);
        await File.WriteAllBytesAsync(files["trace"], trace);
        Assert.Equal(records, await TraceReader.LoadAsync(files["trace"]));
        Assert.True(TraceReader.IsTrace(trace));
        Assert.True(TraceReader.IsTrace(trace.AsSpan(0, 4)));
        Assert.False(TraceReader.IsTrace(trace.AsSpan(0, 3)));
        Assert.False(TraceReader.IsTrace("/usr/bin/redis-server\n"u8));
        await Assert.ThrowsAsync<FileNotFoundException>(() => TraceReader.LoadAsync(files["missing"]));
    }

    [Fact]
    public async Task EveryTruncation_IsRefused()
    {
        byte[] trace = await WriteAsync(RandomRecords(4, 4));
        for (int length = 0; length < trace.Length; length++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(trace[..length]));
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync([.. trace, 0]));
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync([.. trace, .. new byte[24]]));
        await Assert.ThrowsAsync<EndOfStreamException>(() => TraceReader.ReadAsync(new MemoryStream(trace[..50]), trace.Length, "t"));
    }

    [Fact]
    public async Task EveryFlippedBit_IsFound_OutsideOfTheHeadersGaps()
    {
        byte[] trace = await WriteAsync(RandomRecords(4, 9));
        for (int bit = 0; bit < trace.Length * 8; bit++)
        {
            byte[] damaged = [.. trace];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            bool gap = bit / 8 is (>= 4 and < 8) or (>= 20 and < 24);
            if (gap)
            {
                await ReadAsync(damaged);
            }
            else
            {
                await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(damaged));
            }
        }
    }

    [Theory]
    [InlineData(0, 0x11, "operation at byte 24")]
    [InlineData(7, 0x80, "layer at byte 28")]
    [InlineData(23, 0x80, "range at byte 32")]
    [InlineData(15, 0x80, "range at byte 32")]
    public async Task ImpossibleField_IsNamed(int at, byte value, string expected)
    {
        byte[] trace = await WriteAsync(new TraceRecord(TraceOperation.Read, 1, 2, 3));
        trace[24 + at] = value;
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(WithChecksum(trace)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("'t'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RandomBytes_GiveTheDocumentedErrorsOnly()
    {
        var random = new Random(77);
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = new byte[24 + (24 * random.Next(6)) + (random.Next(4) == 0 ? random.Next(24) : 0)];
            random.NextBytes(bytes);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, 3270449184);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), random.Next(8) == 0 ? random.NextInt64() : bytes.Length - 24);
            for (int record = 24; record < bytes.Length; record += 24)
            {
                bytes[record] = random.Next(4) == 0 ? bytes[record] : (byte)'R';
            }

            try
            {
                Assert.Equal((bytes.Length / 24) - 1, (await ReadAsync(WithChecksum(bytes))).Count);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public async Task TooManyRecords_AreRefused_BeforeAnythingIsAllocated()
    {
        byte[] header = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 3270449184);
        long length = 24L * (TraceReader.MaxRecords + 1L);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), length);
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => TraceReader.ReadAsync(new MemoryStream(header), length + 24, "t"));
        Assert.Contains("at most", error.Message, StringComparison.Ordinal);
    }
}
