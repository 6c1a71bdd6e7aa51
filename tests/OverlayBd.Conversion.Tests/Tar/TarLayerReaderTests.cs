// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class TarLayerReaderTests
{
    [Theory]
    [InlineData(TarFormat.V7)]
    [InlineData(TarFormat.Ustar)]
    [InlineData(TarFormat.Gnu)]
    [InlineData(TarFormat.Pax)]
    public async Task Entry_OfEveryFlavour_IsRead(TarFormat format)
    {
        (TarEntry entry, byte[] content) = await TarReading.ReadOneAsync(
            format, TarItem.File("./dir//name", "content") with { Mode = 0xfff, Uid = 1000, Gid = 100, Seconds = 1_234_567_890 });
        Assert.Equal("dir/name"u8.ToArray(), entry.Name);
        Assert.Equal(TarEntryKind.RegularFile, entry.Kind);
        Assert.Equal((0xfffu, 1000u, 100u), (entry.Mode, entry.Uid, entry.Gid));
        Assert.Equal((7, 7), (entry.Size, entry.StoredLength));
        Assert.Equal(new FileTime(1_234_567_890, 0), entry.ModificationTime);
        Assert.Null(entry.SparseMap);
        Assert.Equal("content"u8.ToArray(), content);
    }

    [Fact]
    public async Task TortureImage_ReadsAsTheOracleReadsIt()
    {
        foreach (TortureLayer layer in TortureImage.Layers())
        {
            Stream tar = LayerDecompression.Open(new PiecemealStream(layer.Blob, 1, 5000), "torture");
            List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(tar);
            Assert.Equal(
                TarScanner.Scan(layer.Tar).Select(TarReading.Describe),
                entries.Select(entry => TarReading.Describe(entry.Entry, entry.Content)));
        }
    }

    [Fact]
    public async Task Content_NotRead_IsSkipped()
    {
        byte[] tar = TarBuilder.Build(
            TarFormat.Pax, TarItem.File("a", new byte[300_000]), TarItem.File("b", "b"), TarItem.File("c", new byte[1000]), TarItem.File("d", "d"));
        await using var reader = new TarLayerReader(new PiecemealStream(tar, 2, 700), "layer");
        string names = "";
        while (await reader.ReadNextAsync(TestContext.Current.CancellationToken) is TarEntry entry)
        {
            names += Encoding.UTF8.GetString(entry.Name);
            Assert.Equal((int)Math.Min(entry.Size, 1), await reader.ReadContentAsync(new byte[1], TestContext.Current.CancellationToken));
        }

        Assert.Equal("abcd", names);
        Assert.Equal(tar.Length, reader.Position);
        Assert.Equal(0, await reader.ReadContentAsync(new byte[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task End_DrainsTheStream_AndIgnoresWhatFollows()
    {
        byte[] tar = [.. TarBuilder.Build(TarFormat.Gnu, TarItem.File("a")), .. Enumerable.Repeat((byte)0x5a, 100_000)];
        var stream = new PiecemealStream(tar, 3, 9000);
        Assert.Single(await TarReading.ReadAllAsync(stream));
        Assert.True(stream.EndSeen);
        Assert.True(stream.IsDisposed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task End_MayLackItsMark(int zeroBlocks)
    {
        var output = new MemoryStream();
        new TarBuilder(output).Add(TarItem.File("a", "1")).Finish(zeroBlocks);
        Assert.Single(await TarReading.ReadAllAsync(output.ToArray()));
    }

    [Fact]
    public async Task EmptyStream_IsAnEmptyLayer() => Assert.Empty(await TarReading.ReadAllAsync([]));

    [Fact]
    public async Task SingleZeroBlock_IsSkipped()
    {
        var output = new MemoryStream();
        new TarBuilder(output).Add(TarItem.File("a")).AddRaw(new byte[512]).Add(TarItem.File("b")).Finish();
        Assert.Equal(2, (await TarReading.ReadAllAsync(output.ToArray())).Count);
    }

    [Fact]
    public async Task LeaveOpen_LeavesTheStreamOpen()
    {
        var stream = new PiecemealStream([], 1, 1);
        await new TarLayerReader(stream, "layer", leaveOpen: true).DisposeAsync();
        Assert.False(stream.IsDisposed);
    }

    [Fact]
    public async Task Checksum_OfSignedBytes_IsAccepted()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, new TarItem { Name = [0xe4, 0xf6] });
        var header = new TarHeaderBlock();
        tar.AsSpan(0, 512).CopyTo(header.Bytes);
        header.Seal(signed: true).CopyTo(tar, 0);
        Assert.Equal([0xe4, 0xf6], (await TarReading.ReadOneAsync(tar)).Entry.Name);
    }

    [Theory]
    [InlineData('0', "name/")]
    [InlineData('\0', "name/")]
    [InlineData('D', "name")]
    [InlineData('5', "name")]
    public async Task Directory_IsKnownByTypeOrSlash(char type, string name)
    {
        (TarEntry entry, _) = await TarReading.ReadOneAsync(TarFormat.Gnu, TarItem.File(name) with { Type = type });
        Assert.Equal(TarEntryKind.Directory, entry.Kind);
        Assert.Equal("name"u8.ToArray(), entry.Name);
    }

    [Fact]
    public async Task Dumpdir_ContentIsSkipped()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("d", "Yfile\0\0") with { Type = 'D' }, TarItem.File("d/file", "x"));
        List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(tar);
        Assert.Equal([TarEntryKind.Directory, TarEntryKind.RegularFile], entries.Select(entry => entry.Entry.Kind));
        Assert.Empty(entries[0].Content);
    }

    [Theory]
    [InlineData('1', true)]
    [InlineData('1', false)]
    [InlineData('2', false)]
    [InlineData('5', true)]
    [InlineData('5', false)]
    [InlineData('6', false)]
    public async Task SizeOfAnythingElse_IsIgnored_UnlessContentFollows(char type, bool hasContent)
    {
        var output = new MemoryStream();
        var builder = new TarBuilder(output, TarFormat.Ustar);
        TarItem odd = TarItem.File("odd", new string('c', hasContent ? 700 : 0)) with { Type = type, LinkName = "a"u8.ToArray() };
        byte[] single = TarBuilder.Build(TarFormat.Ustar, odd);
        var header = new TarHeaderBlock();
        single.AsSpan(0, 512).CopyTo(header.Bytes);
        header.SetOctal(124, 12, 700);
        header.Seal().CopyTo(single, 0);
        builder.Add(TarItem.File("a", "a")).AddRaw(single.AsSpan(0, single.Length - 1024)).Add(TarItem.File("last", "z")).Finish();
        List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(output.ToArray());
        Assert.Equal(["a", "odd", "last"], entries.Select(entry => Encoding.UTF8.GetString(entry.Entry.Name)));
        Assert.Equal(0, entries[1].Entry.Size);
        Assert.Empty(entries[1].Content);
        Assert.Equal("z"u8.ToArray(), entries[2].Content);
    }

    [Fact]
    public async Task Links_KeepSymbolicTargets_AndCleanHardOnes()
    {
        (TarEntry symbolic, _) = await TarReading.ReadOneAsync(TarFormat.Pax, TarItem.Symlink("s", "./a/../b//"));
        Assert.Equal("./a/../b//"u8.ToArray(), symbolic.LinkName);
        (TarEntry hard, _) = await TarReading.ReadOneAsync(TarFormat.Pax, TarItem.HardLink("h", "/./a/../b//"));
        Assert.Equal("b"u8.ToArray(), hard.LinkName);
    }

    [Fact]
    public async Task VolumeLabel_IsSkipped()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("label") with { Type = 'V' }, TarItem.File("a"));
        Assert.Equal("a"u8.ToArray(), (await TarReading.ReadOneAsync(tar)).Entry.Name);
    }

    [Theory]
    [InlineData('M')]
    [InlineData('N')]
    [InlineData('A')]
    [InlineData('?')]
    [InlineData('\n')]
    public async Task UnknownType_IsRefused_NamingArchiveEntryAndOffset(char type)
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("first", "x"), TarItem.File("the-name") with { Type = type });
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadAllAsync(tar));
        Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'the-name'", error.Message, StringComparison.Ordinal);
        Assert.Contains("1024", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OldGoPrefix_InGnuHeader_IsUsed()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("name", "x"));
        var header = new TarHeaderBlock();
        tar.AsSpan(0, 512).CopyTo(header.Bytes);
        header.SetText(345, 155, "a/prefix"u8);
        header.Seal().CopyTo(tar, 0);
        (TarEntry entry, _) = await TarReading.ReadOneAsync(tar);
        Assert.Equal("a/prefix/name"u8.ToArray(), entry.Name);
        Assert.Null(entry.AccessTime);
    }

    [Fact]
    public async Task GnuTimes_AreRead()
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("name", "x"));
        var header = new TarHeaderBlock();
        tar.AsSpan(0, 512).CopyTo(header.Bytes);
        header.SetOctal(345, 12, 1111);
        header.SetBase256(357, 12, -5);
        header.Seal().CopyTo(tar, 0);
        (TarEntry entry, _) = await TarReading.ReadOneAsync(tar);
        Assert.Equal(new FileTime(1111, 0), entry.AccessTime);
        Assert.Equal(new FileTime(-5, 0), entry.ChangeTime);
    }
}
