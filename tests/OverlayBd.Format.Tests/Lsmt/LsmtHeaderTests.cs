// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>The header block and what may stand in it.</summary>
public sealed class LsmtHeaderTests
{
    [Fact]
    public void WriteTo_ThenParse_IsTheSame_AndTheRestIsZero()
    {
        byte[] block = new byte[4096];
        Array.Fill(block, (byte)0xEE);
        var header = new LsmtHeader
        {
            Flags = LsmtHeaderFlags.DataFile | LsmtHeaderFlags.Sealed,
            IndexOffset = 123 << 9,
            IndexSize = 256,
            VirtualSize = 1UL << 42,
            Uuid = "AAAAAAAA-0000-4000-8000-000000000001",
            ParentUuid = "AAAAAAAA-0000-4000-8000-000000000000",
            UserTag = new string('x', 256),
        };
        header.WriteTo(block);
        Assert.True(LsmtHeader.TryParse(block, out LsmtHeader read));
        Assert.Equal(
            (header.Flags, header.IndexOffset, header.IndexSize, header.VirtualSize, header.Uuid, header.ParentUuid, header.UserTag),
            (read.Flags, read.IndexOffset, read.IndexSize, read.VirtualSize, read.Uuid, read.ParentUuid, read.UserTag));
        Assert.Equal("4C534D5400010200657E63D29444084CA2D2C8EC4FCFAE8A86010000", Convert.ToHexString(block.AsSpan(0, 28)));
        Assert.True(block.AsSpan(390).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(0, block[130] | block[131]);
        Assert.False(LsmtHeader.TryParse(block.AsSpan(0, 389), out _));
    }

    [Theory]
    [InlineData("aaaaaaaa-0000-4000-8000-00000000000b\0", "AAAAAAAA-0000-4000-8000-00000000000B")]
    [InlineData("aaaaaaaa-0000-4000-8000-00000000000b!", "00000000-0000-0000-0000-000000000000")]
    [InlineData("aaaaaaaa-0000-4000-8000-00000000000\0", "00000000-0000-0000-0000-000000000000")]
    [InlineData("zaaaaaaa-0000-4000-8000-00000000000b\0", "00000000-0000-0000-0000-000000000000")]
    [InlineData("", "00000000-0000-0000-0000-000000000000")]
    public void StoredUuid_ThatIsNone_CountsAsNone(string stored, string expected) =>
        Assert.Equal(expected, LsmtUuid.FromStored(System.Text.Encoding.ASCII.GetBytes(stored)));

    [Fact]
    public void CommitOptions_ThatAreMalformed_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new LsmtCommitOptions { Uuid = "17" }.CreateHeader(0, LsmtUuid.Null));
        Assert.Throws<ArgumentException>(() => new LsmtCommitOptions { ParentUuid = "17" }.CreateHeader(0, LsmtUuid.Null));
        Assert.Throws<ArgumentException>(() => new LsmtCommitOptions { UserTag = new string('ä', 129) }.CreateHeader(0, LsmtUuid.Null));
        Assert.Throws<ArgumentException>(() => new LsmtCommitOptions { UserTag = "a\0b" }.CreateHeader(0, LsmtUuid.Null));
    }
}
