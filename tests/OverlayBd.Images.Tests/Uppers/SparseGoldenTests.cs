// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using OverlayBd.Format;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A sparse upper made by the original tools reads, commits and seals as it does with them.</summary>
public sealed class SparseGoldenTests : IDisposable
{
    private const string Logical = "641891e8cbb9b89f5f4cb315790a3c73afda14c61b1c36bda21fa8c0194dd3db";

    private readonly UpperFiles _files = new(1L << 30);

    public SparseGoldenTests()
    {
        // tar keeps the holes where they were.
        string archive = Path.Combine(AppContext.BaseDirectory, "Golden", "lsmt", "rw-sparse.tar.gz");
        using var tar = Process.Start("tar", ["-xSzf", archive, "-C", _files.Path]);
        tar.WaitForExit();
        Assert.Equal(0, tar.ExitCode);
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Upper_OfTheOriginal_ReadsAsItsLogicalDigest()
    {
        await using LsmtWritableImage image = await OpenAsync();
        Assert.True(image.IsSparse);
        Assert.Equal("EF74F4C9-115F-4EAD-87B2-D88CB12A7C1B", image.Uuid);
        Assert.Equal(Logical, await GoldenStack.HashAsync(image));
    }

    [Fact]
    public async Task Commit_IsByteForByteThatOfTheOriginal()
    {
        await using LsmtWritableImage image = await OpenAsync();
        Assert.Equal(
            "6f1a7b1ed976e7edf5288753c772bcc3edbbf3bfb381720274100588fa3ec353",
            await CommitAsync(image, new LsmtCommitOptions()));
        Assert.Equal(
            "0807062f1d6fcbac9939bd3be5187f6f54fd48bdca92f522f09419b2d67cab5f",
            await CommitAsync(image, new LsmtCommitOptions
            {
                Uuid = "11111111-2222-4333-8444-555555555551",
                ParentUuid = "11111111-2222-4333-8444-555555555550",
                UserTag = "golden commit message",
            }));
    }

    [Fact]
    public async Task Seal_IsThatOfTheOriginal()
    {
        await using (LsmtWritableImage image = await OpenAsync())
        {
            await image.SealAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, new FileInfo(_files["sparse.index"]).Length);
        Assert.Equal(1_073_750_528, new FileInfo(_files["sparse.data"]).Length);
        byte[] trailer = new byte[48];
        using (FileStream file = File.OpenRead(_files["sparse.data"]))
        {
            file.Seek(-4096, SeekOrigin.End);
            file.ReadExactly(trailer);
        }

        Assert.Equal((22, 1_073_745_920L, 11L),
            (BitConverter.ToInt32(trailer, 28), BitConverter.ToInt64(trailer, 32), BitConverter.ToInt64(trailer, 40)));
        LsmtLayer layer = await LsmtLayer.OpenAsync(FileBlockSource.Open(_files["sparse.data"]), "sealed");
        await using LsmtImage stack = LsmtImage.Stack([layer]);
        Assert.Equal(Logical, await GoldenStack.HashAsync(stack));
    }

    private static async Task<string> CommitAsync(LsmtWritableImage image, LsmtCommitOptions options)
    {
        using var output = new MemoryStream();
        await image.CommitAsync(output, options, TestContext.Current.CancellationToken);
        return Convert.ToHexStringLower(SHA256.HashData(output.ToArray()));
    }

    private Task<LsmtWritableImage> OpenAsync() =>
        LsmtWritableImage.OpenAsync(_files["sparse.data"], _files["sparse.index"], null, SparseFiles.Instance);
}
