// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Interop;

namespace OverlayBd.Conversion.Tests.Ext4;

// The sizes and offsets are what a C compiler prints for the headers of e2fsprogs 1.47.0 on LP64.
public sealed unsafe class InteropLayoutTests
{
    [Fact]
    public void Structures_Sizes_AreThoseOfTheHeaders()
    {
        Assert.Equal(240, sizeof(IoManager));
        Assert.Equal(192, sizeof(IoChannel));
        Assert.Equal(1024, sizeof(Ext2SuperBlock));
        Assert.Equal(256, sizeof(Ext2Inode));
    }

    [Fact]
    public void IoManager_Offsets_AreThoseOfTheHeaders()
    {
        var manager = default(IoManager);
        byte* start = (byte*)&manager;
        Assert.Equal(88, (byte*)&manager.ReadBlock64 - start);
        Assert.Equal(120, (byte*)&manager.ZeroOut - start);
    }

    [Fact]
    public void IoChannel_Offsets_AreThoseOfTheHeaders()
    {
        var channel = default(IoChannel);
        byte* start = (byte*)&channel;
        Assert.Equal(24, (byte*)&channel.BlockSize - start);
        Assert.Equal(48, (byte*)&channel.ReferenceCount - start);
        Assert.Equal(168, (byte*)&channel.PrivateData - start);
        Assert.Equal(184, (byte*)&channel.Alignment - start);
    }

    [Theory]
    [InlineData("1.47.0", 147)]
    [InlineData("1.46.5", 146)]
    [InlineData("1.48", 148)]
    [InlineData("1.47-WIP", 147)]
    [InlineData("2", 0)]
    [InlineData("", 0)]
    public void ParseVersion_Text_IsTheFirstTwoNumbers(string text, int expected) =>
        Assert.Equal(expected, Ext2Library.ParseVersion(System.Text.Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Load_InstalledLibrary_IsAccepted() => Ext2Library.Load();
}
