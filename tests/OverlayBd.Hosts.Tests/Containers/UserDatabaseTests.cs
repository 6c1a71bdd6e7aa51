// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containers;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Containers;

public sealed class UserDatabaseTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public UserDatabaseTests()
    {
        Directory.CreateDirectory(_root["etc"]);
        File.WriteAllText(_root["etc/passwd"], "root:x:0:0::/root:/bin/sh\nredis:x:100:101::/var/lib/redis:/bin/false\nbroken line\n");
        File.WriteAllText(_root["etc/group"], "root:x:0:\nredis:x:101:\nssl:x:102:redis,other\nother:x:103:other\n");
    }

    [Theory]
    [InlineData(null, 0, 0, "/root")]
    [InlineData("", 0, 0, "/root")]
    [InlineData("redis", 100, 101, "/var/lib/redis")]
    [InlineData("100", 100, 101, "/var/lib/redis")]
    [InlineData("redis:ssl", 100, 102, "/var/lib/redis")]
    [InlineData("redis:7", 100, 7, "/var/lib/redis")]
    [InlineData("4242", 4242, 0, null)]
    [InlineData("4242:103", 4242, 103, null)]
    public void Resolve_OfKnownForms_FindsTheNumbers(string? text, uint uid, uint gid, string? home)
    {
        ContainerUser user = UserDatabase.Read(_root.Path).Resolve(text);
        Assert.Equal((uid, gid, home), (user.Uid, user.Gid, user.Home));
    }

    [Fact]
    public void Resolve_OfUserAlone_AddsTheGroupsItIsIn()
    {
        Assert.Equal([102u], UserDatabase.Read(_root.Path).Resolve("redis").AdditionalGids);
        Assert.Empty(UserDatabase.Read(_root.Path).Resolve("redis:redis").AdditionalGids);
    }

    [Theory]
    [InlineData("nobody-knows")]
    [InlineData("redis:nobody-knows")]
    public void Resolve_OfUnknownName_NamesIt(string text) =>
        Assert.Contains("nobody-knows", Assert.Throws<CommandException>(() => UserDatabase.Read(_root.Path).Resolve(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_OfRootWithoutFiles_KnowsNumbersOnly()
    {
        using TempDirectory empty = new();
        Assert.Equal(5u, UserDatabase.Read(empty.Path).Resolve("5").Uid);
    }

    [Fact]
    public void Read_OfLinkThatLeadsOut_StaysInTheRoot()
    {
        File.Delete(_root["etc/passwd"]);
        File.CreateSymbolicLink(_root["etc/passwd"], "/../../etc/shadowed");
        File.WriteAllText(_root["etc/shadowed"], "inside:x:55:0::/:/bin/sh\n");
        Assert.Equal(55u, UserDatabase.Read(_root.Path).Resolve("inside").Uid);
    }

    public void Dispose() => _root.Dispose();
}
