// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Containers;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Containers;

public sealed class RootedPathTests : IDisposable
{
    private readonly TempDirectory _root = new();

    [Theory]
    [InlineData("/a/b", "a/b")]
    [InlineData("a/./b/../c", "a/c")]
    [InlineData("/../../../etc/passwd", "etc/passwd")]
    [InlineData("/link/x", "target/x")]
    [InlineData("/up/x", "x")]
    [InlineData("/relative/x", "target/x")]
    public void Resolve_OfAnyPath_StaysInTheRoot(string path, string expected)
    {
        File.CreateSymbolicLink(_root["link"], "/target");
        File.CreateSymbolicLink(_root["up"], "../../..");
        File.CreateSymbolicLink(_root["relative"], "./target");
        Assert.Equal(_root[expected], RootedPath.Resolve(_root.Path, path));
    }

    [Fact]
    public void Resolve_OfLinksInACircle_Throws()
    {
        File.CreateSymbolicLink(_root["a"], "b");
        File.CreateSymbolicLink(_root["b"], "a");
        Assert.Throws<IOException>(() => RootedPath.Resolve(_root.Path, "/a"));
    }

    public void Dispose() => _root.Dispose();
}
