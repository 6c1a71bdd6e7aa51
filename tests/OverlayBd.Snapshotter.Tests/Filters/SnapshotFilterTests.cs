// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Filters;

namespace OverlayBd.Snapshotter.Tests.Filters;

public sealed class SnapshotFilterTests
{
    private static readonly SnapshotInfo s_info = new()
    {
        Name = "sha256:abc",
        Parent = "",
        Kind = SnapshotKind.Committed,
        Labels = new Dictionary<string, string>
        {
            ["containerd.io/snapshot.ref"] = "sha256:abc",
            ["plain"] = "a b,c",
            ["foo.bar"] = "joined",
        },
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("name", true)]
    [InlineData("parent", true)]
    [InlineData("labels.plain", true)]
    [InlineData("labels.none", false)]
    [InlineData("name==sha256:abc", true)]
    [InlineData("name==sha256:abd", false)]
    [InlineData(" name == sha256:abc , kind == committed ", true)]
    [InlineData("name==sha256:abc,kind==active", false)]
    [InlineData("parent==\"\"", true)]
    [InlineData("labels.\"containerd.io/snapshot.ref\"==sha256:abc,parent==\"\"", true)]
    [InlineData("labels.foo.bar==joined", true)]
    [InlineData("labels.none!=x", true)]
    [InlineData("labels.plain!=\"a b,c\"", false)]
    [InlineData("labels.plain==\"a\\u0020b\\x2cc\"", true)]
    [InlineData("name~=^sha", true)]
    [InlineData("name~=/^abc/", false)]
    [InlineData("name~=|a.c$|", true)]
    [InlineData("labels.none~=\"^$\"", true)]
    [InlineData("name~=\"[\"", false)]
    [InlineData("unknown==x", false)]
    [InlineData("unknown!=x", true)]
    public void Filter_IsReadAsContainerdDoes(string filter, bool matches) =>
        Assert.Equal(matches, SnapshotFilter.Parse([filter]).Matches(s_info));

    [Fact]
    public void Filters_OfWhichOneMatches_Match() => Assert.True(SnapshotFilter.Parse(["name==x", "kind==committed"]).Matches(s_info));

    [Theory]
    [InlineData("name=x")]
    [InlineData("==x")]
    [InlineData("name==")]
    [InlineData("name==\"open")]
    [InlineData("name==/x/")]
    [InlineData("name==x y")]
    [InlineData("labels.\"a\\q\"==x")]
    [InlineData("labels.\"\\ud800\"==x")]
    [InlineData("name,,kind")]
    [InlineData("name~=\"\\777\"x")]
    public void Filter_ThatIsMalformed_IsAnInvalidArgument(string filter) => Assert.Equal(
        SnapshotError.InvalidArgument, Assert.Throws<SnapshotException>(() => SnapshotFilter.Parse([filter])).Error);
}
