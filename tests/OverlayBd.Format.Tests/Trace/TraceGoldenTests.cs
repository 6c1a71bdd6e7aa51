// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;
using OverlayBd.Format.Tests.Lsmt;
using OverlayBd.Format.Trace;

namespace OverlayBd.Format.Tests.Trace;

/// <summary>A trace recorded by the original, whose gaps hold what was in its memory.</summary>
public sealed class TraceGoldenTests
{
    private static readonly byte[] s_golden = LsmtGolden.Read("stack/trace.bin");

    private static readonly TraceRecord[] s_records =
    [
        Read(0, 0, 4096),
        Read(1, 0, 4096),
        Read(2, 0, 4096),
        Read(0, 2514944, 4096),
        Read(1, 1974272, 4096),
        Read(2, 1974272, 4096),
        Read(0, 2510848, 4096),
        Read(1, 1970176, 4096),
        Read(2, 1970176, 4096),
        Read(2, 4096, 4096),
        Read(2, 5120, 1024),
        Read(2, 135168, 131072),
        Read(2, 1445888, 8192),
    ];

    private static TraceRecord Read(int layer, long offset, long length) => new(TraceOperation.Read, layer, offset, length);

    [Fact]
    public async Task Trace_OfTheOriginal_Reads() =>
        Assert.Equal(s_records, await TraceReader.ReadAsync(new MemoryStream(s_golden), s_golden.Length, "golden"));

    [Fact]
    public async Task Trace_WrittenWithTheSameRecords_DiffersInTheGapsOnly()
    {
        using var output = new MemoryStream();
        await using (var writer = new TraceWriter(output, leaveOpen: true))
        {
            foreach (TraceRecord record in s_records)
            {
                await writer.WriteAsync(record);
            }

            await writer.CompleteAsync();
        }

        Assert.Equal(WithoutGaps(s_golden), output.ToArray());
    }

    // A checksum over the stored bytes notices what is in the gaps, although nobody looks at it.
    [Fact]
    public async Task Gap_ThatChanged_IsDamage()
    {
        byte[] damaged = [.. s_golden];
        damaged[24 + 1] ^= 1;
        await Assert.ThrowsAsync<InvalidDataException>(() => TraceReader.ReadAsync(new MemoryStream(damaged), damaged.Length, "damaged"));
    }

    private static byte[] WithoutGaps(byte[] trace)
    {
        byte[] clean = [.. trace];
        clean.AsSpan(4, 4).Clear();
        clean.AsSpan(20, 4).Clear();
        for (int record = 24; record < clean.Length; record += 24)
        {
            clean.AsSpan(record + 1, 3).Clear();
        }

        BitConverter.TryWriteBytes(clean.AsSpan(16), Crc32C.Append(0, clean.AsSpan(24)));
        return clean;
    }
}
