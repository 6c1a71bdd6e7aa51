// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;
using OverlayBd.Testing.Tar;
using OverlayBd.Testing.Trees;

namespace OverlayBd.Conversion.Tests.Tar;

/// <summary>Archives of GNU tar: the reader agrees with the oracle's scanner, and the oracle with the directory itself.</summary>
public sealed class GnuTarTests : IDisposable
{
    private const string Extended = "user.text=value;user.binary=0sAAo9/w==;trusted.t=0sAP+A";

    private readonly UnpackDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("v7", true)]
    [InlineData("ustar", true)]
    [InlineData("gnu", false)]
    [InlineData("oldgnu", false)]
    [InlineData("gnu", false, "--sparse")]
    [InlineData("oldgnu", false, "--sparse")]
    [InlineData("pax", false)]
    [InlineData("pax", false, "--sparse", "--sparse-version=0.0")]
    [InlineData("pax", false, "--sparse", "--sparse-version=0.1")]
    [InlineData("pax", false, "--sparse", "--sparse-version=1.0", "--xattrs", "--xattrs-include=*")]
    public async Task Archive_DescribesTheDirectory(string format, bool simple, params string[] options)
    {
        string tree = await SourceTree.CreateAsync(_directory, simple);
        bool xattrs = options.Contains("--xattrs");
        if (xattrs)
        {
            await AddXattrsAsync(tree);
        }

        string archive = _directory["archive.tar"];
        await ForeignTool.RunAsync("tar", ["--create", "--file", archive, $"--format={format}", "--numeric-owner", .. options, "-C", tree, "."]);
        byte[] tar = await File.ReadAllBytesAsync(archive, TestContext.Current.CancellationToken);

        List<(TarEntry Entry, byte[] Content)> entries = await TarReading.ReadAllAsync(new PiecemealStream(tar, 1, 70_000));
        Assert.Equal(
            TarScanner.Scan(tar).Select(TarReading.Describe), entries.Select(entry => TarReading.Describe(entry.Entry, entry.Content)));
        if (options.Contains("--sparse"))
        {
            Assert.Equal(3, entries.Count(entry => entry.Entry.SparseMap is not null));
            Assert.True(tar.Length < 2_000_000);
        }

        FileTree found = FileTree.FromDirectory(tree);
        if (format != "pax")
        {
            // Whole seconds only.
            foreach (FileNode node in found.Nodes.Values)
            {
                node.Nanoseconds = 0;
            }
        }

        Assert.Empty(FileTree.Compare(FileTree.FromTars(tar), found));
        Assert.Equal(xattrs ? ["trusted.t", "user.binary", "user.text"] : [], found.Nodes["dir/file"].Xattrs.Keys);
    }

    private static async Task AddXattrsAsync(string tree)
    {
        foreach (string path in (string[])["dir/file", "dir"])
        {
            foreach (string xattr in Extended.Split(';'))
            {
                string[] parts = xattr.Split('=', 2);
                await ForeignTool.RunAsync("setfattr", "-n", parts[0], "-v", parts[1], Path.Combine(tree, path));
            }
        }

        await ForeignTool.RunAsync("setcap", "cap_net_raw+ep", Path.Combine(tree, "random"));
        await ForeignTool.RunAsync("setfattr", "-h", "-n", "trusted.link", "-v", "a=b\nc", Path.Combine(tree, "dir/link"));
    }
}
