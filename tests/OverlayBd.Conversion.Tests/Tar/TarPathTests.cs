// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests.Tar;

public sealed class TarPathTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(".", "")]
    [InlineData("/", "")]
    [InlineData("./", "")]
    [InlineData("a", "a")]
    [InlineData("./a/", "a")]
    [InlineData("/a//b/./c/", "a/b/c")]
    [InlineData("a/..", "")]
    [InlineData("a/../b", "b")]
    [InlineData("a/b/../c", "a/c")]
    [InlineData("a/b/../../c", "c")]
    [InlineData("/../a", "a")]
    [InlineData("..a/...", "..a/...")]
    public void Clean_GivesTheShortestPath(string path, string expected)
    {
        Assert.True(TarPath.TryClean(Encoding.UTF8.GetBytes(path), out byte[] cleaned));
        Assert.Equal(expected, Encoding.UTF8.GetString(cleaned));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../..")]
    [InlineData("./a/b/../../../etc")]
    public void Clean_OfAPathThatClimbsOut_Fails(string path)
        => Assert.False(TarPath.TryClean(Encoding.UTF8.GetBytes(path), out _));

    [Fact]
    public async Task Names_ThatClimbOut_AreRefused()
    {
        foreach (TarItem item in (TarItem[])[TarItem.File("a/../../b"), TarItem.HardLink("a", "../b"), TarItem.Directory("..")])
        {
            InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Gnu, item));
            Assert.Contains("out of the root", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Root_IsOnlyADirectory()
    {
        Assert.Empty((await TarReading.ReadOneAsync(TarFormat.Gnu, TarItem.Directory("./"))).Entry.Name);
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Gnu, TarItem.Symlink(".", "x")));
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Gnu, TarItem.HardLink("a", "/")));
        await Assert.ThrowsAsync<InvalidDataException>(() => TarReading.ReadOneAsync(TarFormat.Gnu, TarItem.Symlink("a", "")));
    }
}
