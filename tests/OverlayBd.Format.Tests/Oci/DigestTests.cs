// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Format.Oci;

namespace OverlayBd.Format.Tests.Oci;

public sealed class DigestTests
{
    private const string OfAbc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    [Fact]
    public void Sha256_IsThatOfTheContent()
    {
        Digest digest = Digest.Sha256("abc"u8);
        Assert.Equal(OfAbc, digest.ToString());
        Assert.Equal(("sha256", OfAbc[7..]), (digest.Algorithm, digest.Hex));
        Assert.Equal(digest, Digest.Parse(OfAbc));
        Assert.Equal(digest, Digest.FromSha256(SHA256.HashData("abc"u8)));
        Assert.True(digest.Matches("abc"u8));
        Assert.False(digest.Matches("abd"u8));
        Assert.Throws<ArgumentException>(() => Digest.FromSha256(new byte[31]));
    }

    [Fact]
    public void Sha512_IsReadAndCompared()
    {
        Digest digest = Digest.Parse("sha512:" + Convert.ToHexStringLower(SHA512.HashData("abc"u8)));
        Assert.True(digest.Matches("abc"u8));
        using IncrementalHash hash = digest.CreateHash();
        hash.AppendData("abc"u8);
        Assert.True(digest.MatchesHash(hash.GetHashAndReset()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:")]
    [InlineData("sha256:ba7816bf")]
    [InlineData("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../etc/passwd.")]
    [InlineData("sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    public void Parse_OfSomethingElse_SaysSo(string text)
    {
        Assert.Throws<FormatException>(() => Digest.Parse(text));
        Assert.False(Digest.TryParse(text, out _));
    }

    [Fact]
    public void Default_IsEmpty()
    {
        Digest digest = default;
        Assert.Equal(("", "", ""), (digest.ToString(), digest.Algorithm, digest.Hex));
        Assert.False(digest.Matches([]));
        Assert.Throws<InvalidOperationException>(() => digest.CreateHash());
    }
}
