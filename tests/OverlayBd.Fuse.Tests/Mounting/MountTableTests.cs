// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Loop;
using OverlayBd.Fuse.Mounting;

namespace OverlayBd.Fuse.Tests.Mounting;

public sealed class MountTableTests
{
    private static readonly string[] s_lines =
    [
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
        "40 22 0:52 / /run/a\\040b\\134c rw,nosuid,nodev,noexec - fuse.overlaybd overlaybd:disk rw,user_id=0",
        "41 22 0:53 / /run/other rw - fuse.overlaybd something-else rw",
        "42 22 0:54 / /run/third rw shared:7 master:2 - fuse.sshfs overlaybd:trap rw",
        "43 22 7:3 / /mnt/first rw - ext4 /dev/loop3 rw",
        "44 22 7:3 / /mnt/second rw - ext4 /dev/loop3 rw",
        "45 22 7:4 / /mnt/second rw - ext4 /dev/loop4 rw",
        "garbage",
        "1 2 3 4 5 6 7 8",
        "46 22 x:y / /mnt rw - ext4 /dev/loop5 rw",
        string.Empty,
    ];

    [Fact]
    public void OverlayBdMounts_AreThoseOfOurTypeAndSource()
    {
        MountEntry mount = Assert.Single(MountTable.Parse(s_lines).OverlayBdMounts);
        Assert.Equal("/run/a b\\c", mount.MountPoint);
        Assert.Equal("overlaybd:disk", mount.Source);
        Assert.Equal(52u, mount.Minor);
    }

    [Fact]
    public void MountPointsOf_IsLatestFirst() =>
        Assert.Equal(["/mnt/second", "/mnt/first"], MountTable.Parse(s_lines).MountPointsOf(7, 3));

    [Fact]
    public void FindAt_IsTheVisibleMount() => Assert.Equal(4u, MountTable.Parse(s_lines).FindAt("/mnt/second")?.Minor);

    [Fact]
    public void Read_HasTheRoot() => Assert.NotNull(MountTable.Read().FindAt("/"));

    [Theory]
    [InlineData(52, 52)]
    [InlineData(255, 255)]
    [InlineData(256, 0x100000)]
    [InlineData(0x1234, 0x1200034)]
    public void EncodeDevice_IsTheKernels(uint minor, ulong encoded) => Assert.Equal(encoded, LoopDevice.EncodeDevice(minor));
}
