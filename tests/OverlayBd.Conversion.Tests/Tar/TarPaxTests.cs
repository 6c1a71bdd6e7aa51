// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class TarPaxTests
{
    [Fact]
    public async Task Records_OverrideTheHeader()
    {
        (TarEntry entry, byte[] content) = await WithRecordsAsync(
            ("path", "other/name"), ("linkpath", "ignored"), ("size", "3"), ("uid", "3000000000"), ("gid", "70000"),
            ("mtime", "-1.25"), ("atime", "5.000000001"), ("ctime", "99"), ("hdrcharset", "BINARY"), ("uname", "x"), ("comment", "y"));
        Assert.Equal("other/name"u8.ToArray(), entry.Name);
        Assert.Empty(entry.LinkName);
        Assert.Equal((3_000_000_000u, 70_000u), (entry.Uid, entry.Gid));
        Assert.Equal(new FileTime(-2, 750_000_000), entry.ModificationTime);
        Assert.Equal(new FileTime(5, 1), entry.AccessTime);
        Assert.Equal(new FileTime(99, 0), entry.ChangeTime);
        Assert.Equal("con"u8.ToArray(), content);
    }

    [Theory]
    [InlineData("0", 0, 0)]
    [InlineData("1.", 1, 0)]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("1.9999999999", 1, 999_999_999)]
    [InlineData("-0.000000001", -1, 999_999_999)]
    [InlineData("-1.0000000001", -2, 999_999_999)]
    [InlineData("-1.0000000000", -1, 0)]
    [InlineData("15032385535.999999999", 15_032_385_535, 999_999_999)]
    public async Task Times_AreRoundedTowardsThePast(string text, long seconds, int nanoseconds)
        => Assert.Equal(new FileTime(seconds, nanoseconds), (await WithRecordsAsync(("mtime", text))).Entry.ModificationTime);

    [Theory]
    [InlineData("mtime", "1e5")]
    [InlineData("mtime", "+1")]
    [InlineData("mtime", "1.2.3")]
    [InlineData("mtime", "99999999999999999999")]
    [InlineData("uid", "-1")]
    [InlineData("uid", "4294967295")]
    [InlineData("gid", "0x10")]
    [InlineData("size", "-5")]
    [InlineData("size", "9223372036854775808")]
    [InlineData("size", "9223372036854775807")]
    [InlineData("path", "a\0b")]
    [InlineData("GNU.sparse.map", "1,2,3")]
    [InlineData("GNU.sparse.map", "a")]
    [InlineData("GNU.sparse.offset", "")]
    [InlineData("GNU.sparse.major", "2")]
    [InlineData("GNU.sparse.name", "")]
    [InlineData("LIBARCHIVE.xattr.user.a", "!!")]
    [InlineData("SCHILY.xattr.", "x")]
    public async Task MalformedValue_IsRefused(string key, string value)
    {
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => WithRecordsAsync((key, value)));
        Assert.Contains("'layer'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("5 a=b\n")]
    [InlineData("0 a=b\n")]
    [InlineData("7 a=b\n")]
    [InlineData("100 a=b\n")]
    [InlineData("-6 a=b\n")]
    [InlineData("6 a=bx")]
    [InlineData("6 =ab\n")]
    [InlineData("5 ab\n")]
    [InlineData("99999999999999999999 a=b\n")]
    [InlineData("6 a=b\ngarbage")]
    public async Task MalformedRecord_IsRefused(string records)
    {
        var output = new MemoryStream();
        new TarBuilder(output).Extension('x', Encoding.ASCII.GetBytes(records)).Add(TarItem.File("f")).Finish();
        if (records.Length == 0)
        {
            Assert.Single(await TarReading.ReadAllAsync(output.ToArray()));
            return;
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadAllAsync(output.ToArray()));
    }

    [Fact]
    public async Task ExtendedAttributes_AreBinary()
    {
        byte[] value = [.. Enumerable.Range(0, 256).Select(i => (byte)i), (byte)'=', (byte)'\n', (byte)'\n'];
        (TarEntry entry, _) = await TarReading.ReadOneAsync(TarFormat.Pax, TarItem.File("f") with
        {
            Xattrs = [("user.a"u8.ToArray(), value), ("user.empty"u8.ToArray(), []), ("security.capability"u8.ToArray(), [1, 0, 0, 2])],
        });
        Assert.Equal(["user.a", "user.empty", "security.capability"], entry.ExtendedAttributes.Select(x => Encoding.UTF8.GetString(x.Name)));
        Assert.Equal(value, entry.ExtendedAttributes[0].Value);
        Assert.Empty(entry.ExtendedAttributes[1].Value);
        Assert.Equal([1, 0, 0, 2], entry.ExtendedAttributes[2].Value);
    }

    [Fact]
    public async Task ExtendedAttributeNames_AreUnescapedAsTheirWritersEscape()
    {
        (TarEntry entry, _) = await WithRecordsAsync(
            ("SCHILY.xattr.user.a%3Db%25%41", "1"), ("LIBARCHIVE.xattr.user.%41%20", "YWI"), ("LIBARCHIVE.xattr.user.a%3db%25%2541", "AAAA"));
        Assert.Equal(["user.a=b%%41", "user.A "], entry.ExtendedAttributes.Select(x => Encoding.UTF8.GetString(x.Name)));
        Assert.Equal(["1", "ab"], entry.ExtendedAttributes.Select(x => Encoding.UTF8.GetString(x.Value)));
    }

    [Fact]
    public async Task GlobalRecords_HoldUntilAnEntrySaysOtherwise()
    {
        var output = new MemoryStream();
        new TarBuilder(output)
            .AddGlobal(("uid", "5"u8.ToArray()), ("mtime", "7"u8.ToArray()), ("SCHILY.xattr.user.g", "1"u8.ToArray()))
            .Add(TarItem.File("a") with { Records = [("uid", "6"u8.ToArray()), ("SCHILY.xattr.user.x", "2"u8.ToArray())] })
            .Add(TarItem.File("b"))
            .Add(TarItem.File("c") with { Uid = 9, Records = [("uid", [])] })
            .AddGlobal(("uid", "8"u8.ToArray()), ("SCHILY.xattr.user.h", []), ("GNU.sparse.size", "9"u8.ToArray()))
            .Add(TarItem.File("d"))
            .Finish();
        List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(output.ToArray());
        Assert.Equal([6u, 5u, 9u, 8u], entries.Select(entry => entry.Entry.Uid));
        Assert.All(entries, entry => Assert.Equal(7, entry.Entry.ModificationTime.Seconds));
        Assert.Equal([2, 1, 1, 2], entries.Select(entry => entry.Entry.ExtendedAttributes.Count));
    }

    [Fact]
    public async Task DeviceNumbers_MayBeRecords()
    {
        (TarEntry entry, _) = await WithRecordsAsync(TarItem.BlockDevice("d", 1, 2), ("SCHILY.devmajor", "4095"), ("SCHILY.devminor", "1048575"));
        Assert.Equal((4095u, 1_048_575u), (entry.DeviceMajor, entry.DeviceMinor));
        await Assert.ThrowsAsync<InvalidDataException>(() => WithRecordsAsync(TarItem.BlockDevice("d", 1, 2), ("SCHILY.devmajor", "4096")));
    }

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    public async Task Extension_BeyondOneMebibyte_IsRefused(char type)
    {
        var output = new MemoryStream();
        new TarBuilder(output).Extension(type, new byte[1024 * 1024 + 1]).Add(TarItem.File("f")).Finish();
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadAllAsync(output.ToArray()));
        Assert.Contains("1048576", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExtendedAttributes_WithoutBound_AreRefused()
    {
        var output = new MemoryStream();
        var builder = new TarBuilder(output);
        for (int i = 0; i < 10; i++)
        {
            builder.AddGlobal(($"SCHILY.xattr.user.{i}", new byte[500_000]));
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadAllAsync(output.ToArray()));
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Pax, TarItem.File("f") with
        {
            Xattrs = [.. Enumerable.Range(0, 5000).Select(i => (TarItem.Bytes($"user.{i}"), Array.Empty<byte>()))],
        }));
    }

    [Fact]
    public async Task Extension_WithoutEntry_IsRefused()
    {
        var output = new MemoryStream();
        new TarBuilder(output).Extension('L', "name"u8.ToArray()).Finish();
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadAllAsync(output.ToArray()));
    }

    private static Task<(TarEntry Entry, byte[] Content)> WithRecordsAsync(params (string Key, string Value)[] records)
        => WithRecordsAsync(TarItem.File("name", "content"), records);

    // A size record makes the entry shorter than the builder thinks; its content ends within the same block.
    private static Task<(TarEntry Entry, byte[] Content)> WithRecordsAsync(TarItem item, params (string Key, string Value)[] records)
        => TarReading.ReadOneAsync(
            TarFormat.Pax, item with { Records = [.. records.Select(record => (record.Key, Encoding.UTF8.GetBytes(record.Value)))] });
}
