// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class TarSparseTests
{
    public static TheoryData<TarSparseFormat> Formats => [.. Enum.GetValues<TarSparseFormat>()];

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Map_IsRead_InEveryFormat(TarSparseFormat sparse)
    {
        foreach (int count in (int[])[0, 1, 3, 4, 5, 25, 26, 100])
        {
            (long, byte[])[] segments = [.. Enumerable.Range(0, count).Select(i => (i * 10_000L + 5, new byte[] { (byte)i, 2, 3 }))];
            (TarEntry entry, byte[] content) = await TarReading.ReadOneAsync(FlavourOf(sparse), TarItem.SparseFile("dir/s", sparse, 1L << 33, segments));
            Assert.Equal("dir/s"u8.ToArray(), entry.Name);
            Assert.Equal(1L << 33, entry.Size);
            Assert.Equal(count * 3, entry.StoredLength);
            Assert.Equal(segments.Select(segment => new SparseSegment(segment.Item1, 3)), entry.SparseMap);
            Assert.Equal(segments.SelectMany(segment => segment.Item2), content);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task EmptySegments_AreDropped_AndLaterEntriesFound(TarSparseFormat sparse)
    {
        byte[] tar = TarBuilder.Build(
            FlavourOf(sparse), TarItem.SparseFile("s", sparse, 1000, (0, [1]), (1000, [])), TarItem.File("after", "x"));
        List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(tar);
        Assert.Equal([new SparseSegment(0, 1)], entries[0].Entry.SparseMap);
        Assert.Equal("after"u8.ToArray(), entries[1].Entry.Name);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Segments_OutOfOrderOverlappingOrOutside_AreRefused(TarSparseFormat sparse)
    {
        (long, byte[])[][] maps = [[(10, [1]), (5, [1])], [(0, [1, 2]), (1, [3])], [(99, [1, 2])], [(101, [])], [(long.MaxValue >> 9, [1])]];
        foreach ((long, byte[])[] map in maps)
        {
            await Assert.ThrowsAsync<InvalidDataException>(
                () => TarReading.ReadOneAsync(FlavourOf(sparse), TarItem.SparseFile("s", sparse, 100, map)));
        }
    }

    [Theory]
    [InlineData("GNU.sparse.map", "0,4")]
    [InlineData("GNU.sparse.map", "0,2")]
    [InlineData("GNU.sparse.numblocks", "2")]
    [InlineData("GNU.sparse.offset", "7")]
    public async Task Records_ThatDoNotAddUp_AreRefused(string key, string value)
        => await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Pax, TarItem.File("f", "abc") with
        {
            Records = [("GNU.sparse.size", "100"u8.ToArray()), ("GNU.sparse.map", "0,3"u8.ToArray()), (key, TarItem.Bytes(value))],
        }));

    [Theory]
    [InlineData("")]
    [InlineData("1\n0\n")]
    [InlineData("x\n")]
    [InlineData("\n")]
    [InlineData("-1\n")]
    [InlineData("1048577\n")]
    [InlineData("99999999999999999999999\n")]
    [InlineData("1\n0\n7\n")]
    public async Task MapInContent_ThatIsMalformed_IsRefused(string map)
    {
        byte[] content = new byte[512];
        TarItem.Bytes(map).CopyTo(content, 0);
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Pax, TarItem.File("f", content) with
        {
            Records = [("GNU.sparse.major", "1"u8.ToArray()), ("GNU.sparse.minor", "0"u8.ToArray()), ("GNU.sparse.realsize", "100"u8.ToArray())],
        }));
    }

    private static TarFormat FlavourOf(TarSparseFormat sparse) => sparse == TarSparseFormat.Gnu ? TarFormat.Gnu : TarFormat.Pax;
}
