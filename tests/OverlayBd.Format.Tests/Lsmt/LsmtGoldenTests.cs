// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>What the original tools wrote reads as they say it does, and what we write is byte for byte what they write.</summary>
public sealed class LsmtGoldenTests
{
    private const string Uuid = "11111111-2222-4333-8444-555555555551";
    private const string ParentUuid = "11111111-2222-4333-8444-555555555550";
    private const string SmallLogical = "641891e8cbb9b89f5f4cb315790a3c73afda14c61b1c36bda21fa8c0194dd3db";

    private static readonly string[] s_modelDigests =
    [
        "42aa9c9b822ecaac17a6d77c9bcb0695ebe0e577d79154b8f85a7bb016e3e573",
        "c1903b19d93fd58bfb0ad366981021ef19605ab2a083f4003923d0dc997cf2c7",
        "83a9f5f361d00ba1c7e759f5698eff29d990c43817855c883f0c2a8b338ac940",
    ];

    [Theory]
    [InlineData("lsmt/commit.plain.lsmt")]
    [InlineData("lsmt/sealed-log.lsmt")]
    public async Task Layer_OfOneFileSystem_ReadsAsItsLogicalDigest(string name)
    {
        await using LsmtImage image = await LsmtGolden.StackAsync(name);
        Assert.Equal(1L << 30, image.Length);
        Assert.Equal(SmallLogical, await LsmtGolden.Sha256Async(image, image.ReadMappings()));
    }

    [Fact]
    public async Task Layer_SaysWhatItsTrailerSays()
    {
        await using LsmtLayer layer = await LsmtGolden.OpenAsync("stack/layer1.commit.lsmt");
        Assert.Equal("11111111-2222-4333-8444-555555555551", layer.Uuid);
        Assert.Equal("11111111-2222-4333-8444-555555555550", layer.ParentUuid);
        Assert.Equal(string.Empty, layer.UserTag);
        Assert.Equal(1L << 30, layer.VirtualSize);
        Assert.Equal(1970176 - 4096, layer.DataBytes);
        Assert.Equal(layer.MappingCount, layer.ReadMappings().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Stack_OfCommittedLayers_ReadsAsTheModel(int count)
    {
        await using LsmtImage image = await LsmtGolden.StackAsync([.. Enumerable.Range(0, count).Select(i => $"lsmtops/l{i}.lsmt")]);
        Assert.Equal(s_modelDigests[count - 1], await LsmtGolden.Sha256Async(image, image.ReadMappings()));
        byte[] whole = new byte[image.Length];
        await image.ReadAsync(0, whole, TestContext.Current.CancellationToken);
        Assert.Equal(s_modelDigests[count - 1], LsmtGolden.Sha256(whole));
    }

    [Fact]
    public async Task Merged_ReadsAsTheModel_AndOurMergeIsTheSame()
    {
        await using LsmtImage merged = await LsmtGolden.StackAsync("lsmtops/merged.lsmt");
        Assert.Equal(s_modelDigests[2], await LsmtGolden.Sha256Async(merged, merged.ReadMappings()));
        await using LsmtImage stack = await LsmtGolden.StackAsync("lsmtops/l0.lsmt", "lsmtops/l1.lsmt", "lsmtops/l2.lsmt");
        using var output = new MemoryStream();
        await stack.MergeAsync(output, new LsmtCommitOptions(), TestContext.Current.CancellationToken);
        Assert.Equal("92c013e4d9566a662680739bfac12e12637a5ad8541876b4b2d1052817fcdde7", LsmtGolden.Sha256(output.ToArray()));
    }

    [Fact]
    public async Task Writable_OfTheOriginal_OpensAndReads()
    {
        using var directory = new TempDirectory();
        await using LsmtWritableImage image = await OpenPairAsync(directory, "lsmt/rw-log.data", "lsmt/rw-log.index");
        Assert.Equal("0E5218B4-8D56-4FE7-A190-6D3BFC6EE762", image.Uuid);
        Assert.Equal(SmallLogical, await LsmtGolden.Sha256Async(image, image.ReadMappings()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Writable_OfTheOriginal_OnItsLowers_ReadsAsTheModel(int layer)
    {
        using var directory = new TempDirectory();
        LsmtImage? lower = layer == 0
            ? null
            : await LsmtGolden.StackAsync([.. Enumerable.Range(0, layer).Select(i => $"lsmtops/l{i}.lsmt")]);
        await using LsmtWritableImage image =
            await OpenPairAsync(directory, $"lsmtops/rw{layer}.data", $"lsmtops/rw{layer}.index", lower);
        Assert.Equal(s_modelDigests[layer], await LsmtGolden.Sha256Async(image, image.ReadMappings()));
        byte[] whole = new byte[image.Length];
        await image.ReadAsync(0, whole, TestContext.Current.CancellationToken);
        Assert.Equal(s_modelDigests[layer], LsmtGolden.Sha256(whole));
    }

    [Fact]
    public async Task Commit_OfTheOriginalsPair_IsByteForByteItsCommit()
    {
        using var directory = new TempDirectory();
        await using LsmtWritableImage image = await OpenPairAsync(directory, "lsmt/rw-log.data", "lsmt/rw-log.index");
        Assert.Equal(
            "37a701540f07e8754f44ed82a8514ef7db6682bffdcdcb353626396b86337fdd",
            await CommitAsync(image, new LsmtCommitOptions()));
        Assert.Equal(
            "298cfcc1421de1250c9dd35f6f2158ded0c990f484a355fbcf53eb0ebba36795",
            await CommitAsync(image, new LsmtCommitOptions { Uuid = Uuid, ParentUuid = ParentUuid, UserTag = "golden commit message" }));
    }

    [Theory]
    [InlineData(0, "6a9c973fd8eb5d25f559e02cbadd6978e546ac59f40da764c8861c954b05e5d3")]
    [InlineData(1, "58cb619b48c7a4e93ce5acd5b752f9fdad384412b148665548debd450e93825a")]
    [InlineData(2, "4f0027543a72d27d54d00fdc83b941ea9441514c6389e688a40288f8b623bac3")]
    public async Task Replay_OfTheSameOperations_WritesTheSameBytes(int layer, string commitDigest)
    {
        using var directory = new TempDirectory();
        string uuid = $"AAAAAAAA-0000-4000-8000-{layer:D12}";
        string parentUuid = layer == 0 ? Guid.Empty.ToString() : $"AAAAAAAA-0000-4000-8000-{layer - 1:D12}";
        LsmtImage? lower = layer == 0
            ? null
            : await LsmtGolden.StackAsync([.. Enumerable.Range(0, layer).Select(i => $"lsmtops/l{i}.lsmt")]);
        await using (LsmtWritableImage theirs =
            await OpenPairAsync(directory, $"lsmtops/rw{layer}.data", $"lsmtops/rw{layer}.index"))
        {
            Assert.Equal(commitDigest, await CommitAsync(theirs, new LsmtCommitOptions { Uuid = uuid }));
        }

        await using (LsmtWritableImage ours = await LsmtWritableImage.CreateAsync(
            directory["ours.data"],
            directory["ours.index"],
            new LsmtWritableOptions { VirtualSize = 8 * 1024 * 1024, Uuid = uuid, ParentUuid = parentUuid },
            lower,
            TestContext.Current.CancellationToken))
        {
            await ReplayAsync(ours, layer);
            Assert.Equal(s_modelDigests[layer], await LsmtGolden.Sha256Async(ours, ours.ReadMappings()));
            Assert.Equal(commitDigest, await CommitAsync(ours, new LsmtCommitOptions { Uuid = uuid }));
        }

        Assert.Equal(LsmtGolden.Read($"lsmtops/rw{layer}.data"), File.ReadAllBytes(directory["ours.data"]));
        Assert.Equal(LsmtGolden.Read($"lsmtops/rw{layer}.index"), WithoutPadding(File.ReadAllBytes(directory["ours.index"])));
    }

    [Fact]
    public async Task Seal_OfTheOriginalsPair_IsItsSeal_ExceptForThePadding()
    {
        using var directory = new TempDirectory();
        await using LsmtWritableImage image = await OpenPairAsync(directory, "lsmt/rw-log.data", "lsmt/rw-log.index");
        await image.SealAsync(TestContext.Current.CancellationToken);
        byte[] theirs = LsmtGolden.Read("lsmt/sealed-log.lsmt");
        byte[] ours = File.ReadAllBytes(directory["data"]);

        // The original leaves what pads its 110 records uninitialised.
        theirs.AsSpan(2002944 + (110 * 16), ((110 * 16) + 511) / 512 * 512 - (110 * 16)).Clear();
        Assert.True(theirs.AsSpan().SequenceEqual(ours));
    }

    private static async Task<LsmtWritableImage> OpenPairAsync(
        TempDirectory directory, string data, string index, LsmtImage? lower = null)
    {
        File.WriteAllBytes(directory["data"], LsmtGolden.Read(data));
        File.WriteAllBytes(directory["index"], LsmtGolden.Read(index));
        return await LsmtWritableImage.OpenAsync(directory["data"], directory["index"], lower);
    }

    /// <summary>An index file as other readers see it: without our notes, which are padding to them.</summary>
    private static byte[] WithoutPadding(byte[] index) =>
    [
        .. index[..4096],
        .. index[4096..].Chunk(LsmtMapping.Size).Where(record => !MemoryMarshal.Read<LsmtMapping>(record).IsInvalid).SelectMany(record => record),
    ];

    private static async Task<string> CommitAsync(LsmtWritableImage image, LsmtCommitOptions options)
    {
        using var output = new MemoryStream();
        await image.CommitAsync(output, options, TestContext.Current.CancellationToken);
        return LsmtGolden.Sha256(output.ToArray());
    }

    private static async Task ReplayAsync(LsmtWritableImage image, int layer)
    {
        string operations = System.Text.Encoding.ASCII.GetString(LsmtGolden.Read($"lsmtops/ops.{layer}.txt"));
        foreach (string[] words in operations.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')))
        {
            long offset = long.Parse(words[1]);
            int length = int.Parse(words[2]);
            if (words[0] == "d")
            {
                await image.DiscardAsync(offset, length);
                continue;
            }

            byte[] data = new byte[length];
            for (int at = 0; at < length; at += 16)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(at), ulong.Parse(words[3]));
                BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(at + 8), (ulong)((offset + at) / 512));
            }

            await image.WriteAsync(offset, data);
        }
    }
}
