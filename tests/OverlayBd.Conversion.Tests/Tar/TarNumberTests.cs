// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class TarNumberTests
{
    [Theory]
    [InlineData("0000644\0", 0x1a4)]
    [InlineData("00000644", 0x1a4)]
    [InlineData("    644 ", 0x1a4)]
    [InlineData("\0\0\0\0\0\0\0\0", 0)]
    [InlineData("        ", 0)]
    [InlineData("644\0junk", 0x1a4)]
    [InlineData("644 junk", 0x1a4)]
    public void Field_OctalText_IsRead(string text, long expected)
    {
        Assert.True(TarNumber.TryParseField(Encoding.Latin1.GetBytes(text), out long value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("0000648\0")]
    [InlineData("-000644\0")]
    [InlineData("junk\0   ")]
    [InlineData("7777777777777777777777777")]
    [InlineData("\x80\x01\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("\x80\0\0\0\x80\0\0\0\0\0\0\0")]
    [InlineData("\xc0\0\0\0\0\0\0\0\0\0\0\0")]
    public void Field_OfAnythingElse_IsRefused(string text)
        => Assert.False(TarNumber.TryParseField(Encoding.Latin1.GetBytes(text), out _));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(-1_000_000_007)]
    [InlineData(1L << 33)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Field_Base256_IsRead(long expected)
    {
        var header = new TarHeaderBlock();
        header.Bytes.AsSpan(124, 12).Fill(expected < 0 ? (byte)0xff : (byte)0);
        for (int i = 0; i < 8; i++)
        {
            header.Bytes[135 - i] = (byte)(expected >> (8 * i));
        }

        header.Bytes[124] |= 0x80;
        Assert.True(TarNumber.TryParseField(header.Bytes.AsSpan(124, 12), out long value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData(124, -1)]
    [InlineData(124, long.MaxValue)]
    [InlineData(108, 4_294_967_295)]
    [InlineData(116, -1)]
    public async Task Header_WithANumberOutOfRange_IsRefused(int offset, long value)
    {
        byte[] tar = TarBuilder.Build(TarFormat.Gnu, TarItem.File("f"));
        var header = new TarHeaderBlock();
        tar.AsSpan(0, 512).CopyTo(header.Bytes);
        header.SetBase256(offset, offset == 124 ? 12 : 8, value);
        header.Seal().CopyTo(tar, 0);
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(tar));
    }
}
