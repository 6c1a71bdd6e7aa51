// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Mappings, indexes, merge and the writable index against a naive array of sectors.</summary>
public sealed class LsmtIndexTests
{
    [Fact]
    public void Mapping_HasTheStoredForm()
    {
        Assert.Equal(LsmtMapping.Size, Unsafe.SizeOf<LsmtMapping>());
        Assert.Equal("00000000000000FF0800000000000000", Bytes(new LsmtMapping(0, 16320, 8)));
        Assert.Equal("000002000000FCFF10A0000000008000", Bytes(new LsmtMapping(131072, 16383, 40976, isZeroed: true)));
        Assert.Equal("FFFFFFFFFFFF03000000000000000000", Bytes(LsmtMapping.Invalid));
        LsmtMapping extreme = new((1L << 50) - 2, 16383, (1L << 55) - 1, true, 255);
        Assert.Equal(((1L << 50) - 2, 16383, (1L << 55) - 1, true, 255),
            (extreme.Offset, extreme.Length, extreme.MappedOffset, extreme.IsZeroed, extreme.Tag));
        Assert.True(LsmtMapping.Invalid.IsInvalid);
        Assert.False(extreme.IsInvalid);
    }

    [Theory]
    [InlineData(1, 1000, 0)]
    [InlineData(2, 300, 0)]
    [InlineData(3, 5000, 1L << 41)]
    [InlineData(4, 60, (1L << 32) - 1000)]
    public void WritableIndex_IsLikeAnArray(int seed, int sectors, long start)
    {
        var random = new Random(seed);
        var index = new LsmtWritableIndex();
        var model = new LsmtSectorModel(sectors);
        long mapped = 8;
        for (int i = 0; i < 4000; i++)
        {
            int at = random.Next(sectors);
            int length = Math.Min(1 + random.Next(random.Next(1, 60)), sectors - at);
            bool zeroed = random.Next(5) == 0;
            index.Insert(new LsmtMapping(start + at, length, mapped, zeroed));
            model.Set(at, length, mapped, zeroed);
            mapped += zeroed ? 0 : length;
            if (i % 100 == 99)
            {
                model.Verify(index.ToArray(), start);
                Assert.Equal(model.Stored, index.StoredSectors);
                Assert.Equal(index.ToArray().Length, index.Count);
            }

            int from = random.Next(sectors);
            int to = Math.Min(sectors, from + 1 + random.Next(50));
            model.Verify(index.FindRun(start + from, start + to), from, to, start);
        }
    }

    [Fact]
    public void WritableIndex_OfAMillionRecords_IsStillQuick()
    {
        var index = new LsmtWritableIndex();
        var random = new Random(5);
        for (int i = 0; i < 1_000_000; i++)
        {
            index.Insert(new LsmtMapping(random.NextInt64(1L << 33), 8, 8 + (i * 8L)));
        }

        LsmtMapping[] mappings = index.ToArray();
        Assert.InRange(mappings.Length, 990_000, 1_010_000);
        for (int i = 1; i < mappings.Length; i++)
        {
            Assert.True(mappings[i - 1].End <= mappings[i].Offset);
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 17)]
    [InlineData(4, 255)]
    public void Merge_IsLikeAnArray(int seed, int layers)
    {
        const int Sectors = 3000;
        const long Start = (1L << 33) - 500;
        var random = new Random(seed);
        var topDown = new List<LsmtIndex>();
        var model = new LsmtSectorModel(Sectors);
        for (int tag = layers - 1; tag >= 0; tag--)
        {
            var mappings = new List<LsmtMapping>();
            for (int at = random.Next(30); at < Sectors; at += random.Next(40))
            {
                int length = Math.Min(1 + random.Next(30), Sectors - at);
                bool zeroed = random.Next(4) == 0;
                long mapped = 8 + random.Next(100_000);
                mappings.Add(new LsmtMapping(Start + at, length, mapped, zeroed));
                model.Set(at, length, mapped, zeroed, (byte)tag);
                at += length;
            }

            topDown.Insert(0, new LsmtIndex([.. mappings]));
        }

        LsmtIndex merged = LsmtIndexMerger.Merge(topDown);
        model.Verify(merged.Mappings.Span, Start);
        Assert.Equal(model.Stored, merged.StoredSectors);
        for (int i = 0; i < 2000; i++)
        {
            int from = random.Next(Sectors);
            int to = Math.Min(Sectors, from + 1 + random.Next(50));
            model.Verify(merged.FindRun(Start + from, Start + to), from, to, Start);
        }
    }

    [Fact]
    public void Merge_OfManyLargeLayers_IsAboutLinear()
    {
        var topDown = new List<LsmtIndex>();
        for (int layer = 0; layer < 255; layer++)
        {
            topDown.Add(new LsmtIndex([.. Enumerable.Range(0, 4000).Select(i => new LsmtMapping((i * 255L + layer) * 4, 3, 8))]));
        }

        Assert.Equal(255 * 4000, LsmtIndexMerger.Merge(topDown).Count);
    }

    [Fact]
    public void Builder_CutsPieces_JoinsThem_AndPads()
    {
        var builder = new LsmtIndexBuilder();
        builder.Add(new LsmtMapping(0, 8192, 100));
        builder.Add(new LsmtMapping(8192, 8192, 20_000));
        builder.Add(new LsmtMapping(16384, 16383, 5000));
        builder.Add(new LsmtMapping(131072, 16383, 9, isZeroed: true));
        builder.Add(new LsmtMapping(147455, 5, 9, isZeroed: true));
        builder.Add(new LsmtMapping(200_000, 1, 9));
        LsmtMapping[] records = builder.Build();
        Assert.Equal(256, records.Length);
        Assert.Equal(
            [
                new LsmtMapping(0, 16320, 8),
                new LsmtMapping(16320, 16320, 16328),
                new LsmtMapping(32640, 127, 32648),
                new LsmtMapping(131072, 16383, 32775, true),
                new LsmtMapping(147455, 5, 32775, true),
                new LsmtMapping(200_000, 1, 32775),
            ],
            records[..6]);
        Assert.All(records[6..], record => Assert.True(record.IsInvalid));
        Assert.Equal(32776, builder.DataEnd);
        Assert.Empty(new LsmtIndexBuilder().Build());
    }

    [Fact]
    public void Builder_OfTooManyRecords_Refuses()
    {
        var builder = new LsmtIndexBuilder();
        for (int i = 0; i < 999_937; i++)
        {
            builder.Add(new LsmtMapping(i * 2L, 1, 8));
        }

        Assert.Throws<InvalidOperationException>(builder.Build);
    }

    private static string Bytes(LsmtMapping mapping) => Convert.ToHexString(MemoryMarshal.AsBytes([mapping]));
}
