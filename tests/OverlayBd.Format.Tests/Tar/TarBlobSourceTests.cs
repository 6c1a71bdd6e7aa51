// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Tar;
using OverlayBd.Format.Tests.ZFile;

namespace OverlayBd.Format.Tests.Tar;

public sealed class TarBlobSourceTests
{
    private static readonly byte[] s_content = ZFiles.Text(1, 5000);

    [Fact]
    public async Task Open_OfTheOldLayout_FindsTheContentBehindOneRecord()
    {
        foreach (string size in (string[])["00000011610", "      11610 ", "11610"])
        {
            byte[] blob = [.. TarBlobs.Record('0', size), .. s_content, .. new byte[1144]];
            await using TarBlobSource source = await TarBlobSource.OpenAsync(new MemoryBlockSource(blob), "test");
            Assert.Equal(512, source.ContentOffset);
            ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
        }
    }

    [Fact]
    public async Task Open_OfAPaxHeaderWithoutSize_TakesThatOfTheSecondRecord()
    {
        byte[] blob = [.. TarBlobs.Record('x', "13"), .. Pax("11 uid=123\n"), .. TarBlobs.Record('0', "11610"), .. s_content];
        await using TarBlobSource source = await TarBlobSource.OpenAsync(new MemoryBlockSource(blob), "test");
        ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
    }

    [Theory]
    [InlineData("17 size=99999999\n", "99999999 bytes follow byte 1536")]
    [InlineData("11 size=-1\n", "-1 bytes follow")]
    [InlineData("11 size=1x\n", "no number")]
    [InlineData("35 size=99999999999999999999999999\n", "no number")]
    [InlineData("99 size=11\n", "malformed pax record at byte 512")]
    [InlineData("0 size=11\n", "malformed pax record at byte 512")]
    [InlineData("size=11\n", "malformed pax record at byte 512")]
    [InlineData("11 uid=123\n2\n", "malformed pax record at byte 523")]
    public async Task Open_OfBadPaxData_SaysWhatAndWhere(string pax, string message)
    {
        byte[] blob =
            [.. TarBlobs.Record('x', Convert.ToString(pax.Length, 8)), .. Pax(pax), .. TarBlobs.Record('0', "0"), .. s_content];
        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await TarBlobSource.OpenAsync(new MemoryBlockSource(blob), "sha256:ef"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("sha256:ef", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1001")]
    [InlineData("0")]
    [InlineData("8")]
    [InlineData("")]
    public async Task Open_OfAPaxHeaderOfImpossibleLength_IsAFormatError(string size)
    {
        byte[] blob = [.. TarBlobs.Record('x', size), .. new byte[512], .. TarBlobs.Record('0', "0"), .. s_content];
        await Assert.ThrowsAsync<InvalidDataException>(async () => await TarBlobSource.OpenAsync(new MemoryBlockSource(blob), "test"));
    }

    [Fact]
    public async Task IsTar_NeedsMagicVersionAndChecksum()
    {
        byte[] record = (await TarBlobs.WriteAsync(s_content))[..512];
        Assert.True(TarBlobSource.IsTar(record));
        Assert.False(TarBlobSource.IsTar(record.AsSpan(0, 511)));
        Assert.False(TarBlobSource.IsTar(new byte[512]));
        record[0] ^= 1;
        Assert.False(TarBlobSource.IsTar(record));
        record[0] ^= 1;

        // GNU archives, whose magic is "ustar  ", are no wrappers.
        "ustar  \0"u8.CopyTo(record.AsSpan(257));
        Assert.False(TarBlobSource.IsTar(TarBlobs.Sign(record)));
    }

    [Fact]
    public async Task Open_OfEveryTruncation_GivesTheContentOrAFormatError()
    {
        byte[] blob = await TarBlobs.WriteAsync(s_content);
        for (int length = 0; length < blob.Length; length += length < 1600 ? 1 : 61)
        {
            try
            {
                await using TarBlobSource source = await TarBlobSource.OpenAsync(new MemoryBlockSource(blob.AsMemory(0, length)), "test");
                ZFiles.AssertSame(s_content, await ZFiles.ReadAllAsync(source));
                Assert.True(length >= 1536 + s_content.Length);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public async Task Open_OfRandomDamage_GivesASourceWithinTheBlobOrAFormatError()
    {
        byte[] good = await TarBlobs.WriteAsync(s_content);
        var random = new Random(5);
        for (int i = 0; i < 5000; i++)
        {
            byte[] blob = [.. good];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                blob[random.Next(1536)] = (byte)random.Next(256);
            }

            TarBlobs.Sign(blob);
            try
            {
                await using TarBlobSource source = await TarBlobSource.OpenAsync(new MemoryBlockSource(blob), "test");
                await ZFiles.ReadAllAsync(source);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public async Task InvalidateAndPrefetch_AreShiftedToTheBlob()
    {
        byte[] blob = await TarBlobs.WriteAsync(s_content);
        var cache = new CacheLikeBlockSource(blob, blob);
        await using TarBlobSource source = await TarBlobSource.OpenAsync(cache, "test");
        Assert.True(await source.InvalidateAsync(10, 20, TestContext.Current.CancellationToken));
        await source.PrefetchAsync(30, 40, TestContext.Current.CancellationToken);
        Assert.Equal([(1546, 20)], cache.Invalidated);
        Assert.Equal([(1566, 40)], cache.Prefetched);
    }

    private static byte[] Pax(string records)
    {
        byte[] data = new byte[512];
        Encoding.ASCII.GetBytes(records, data);
        return data;
    }
}
