// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Mounting;

namespace OverlayBd.Hosts.Tests.Mounting;

public sealed class MountTableTests
{
    [Fact]
    public void Parse_OfLines_FindsTargetTypeAndSource()
    {
        IReadOnlyList<MountEntry> entries = MountTable.Parse(
        [
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue",
            @"37 35 0:5 / /with\040space\134 rw - tmpfs a\011b rw",
            "garbage",
        ]);
        Assert.Equal([new("/mnt2", "ext3", "/dev/root"), new(@"/with space\", "tmpfs", "a\tb")], entries);
    }

    [Fact]
    public void Read_OfThisMachine_HasARoot() => Assert.Contains(MountTable.Read(), entry => entry.Target == "/");
}
