// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A directory with uppers of either kind, and lowers for them.</summary>
internal sealed class UpperFiles(long virtualSize) : IDisposable
{
    private readonly TempDirectory _directory = new();
    private byte[]? _lower;

    public string Path => _directory.Path;

    public string this[string name] => _directory[name];

    public void Dispose() => _directory.Dispose();

    public Task<LsmtWritableImage> CreateAsync(string name, bool sparse, LsmtImage? lower = null, long? size = null, ISparseFiles? files = null) =>
        LsmtWritableImage.CreateAsync(
            _directory[name + ".data"],
            _directory[name + ".index"],
            new LsmtWritableOptions { VirtualSize = size ?? virtualSize, SparseFiles = sparse ? files ?? SparseFiles.Instance : null },
            lower);

    public Task<LsmtWritableImage> OpenAsync(string name, LsmtImage? lower = null) =>
        LsmtWritableImage.OpenAsync(_directory[name + ".data"], _directory[name + ".index"], lower, SparseFiles.Instance);

    /// <summary>A lower image of one layer whose content is <paramref name="content"/>, read from memory.</summary>
    public async Task<LsmtImage> LowerAsync(byte[] content)
    {
        if (_lower is null)
        {
            await using LsmtWritableImage image = await CreateAsync("lower", sparse: false);
            await image.WriteAsync(0, content);
            using var output = new MemoryStream();
            await image.CommitAsync(output, new LsmtCommitOptions());
            _lower = output.ToArray();
        }

        return LsmtImage.Stack([await LsmtLayer.OpenAsync(new MemoryBlockSource(_lower), "lower")]);
    }

    /// <summary>Opens what snapshots have sealed as layers, the bottom one first.</summary>
    public async Task<LsmtImage> StackAsync(byte[]? content, params string[] sealedNames)
    {
        var layers = new List<LsmtLayer>();
        if (content is not null)
        {
            layers.AddRange((await LowerAsync(content)).Layers);
        }

        foreach (string name in sealedNames)
        {
            layers.Add(await LsmtLayer.OpenAsync(FileBlockSource.Open(_directory[name + ".data"]), name));
        }

        return LsmtImage.Stack(layers);
    }

    /// <summary>Copies a file with its holes, also one that is locked: File.Copy would do neither.</summary>
    public static void Copy(string from, string to)
    {
        using var copy = Process.Start("cp", ["--sparse=auto", from, to]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
    }

    public static byte[] Noise(long length, int seed)
    {
        byte[] noise = new byte[length];
        new Random(seed).NextBytes(noise);
        return noise;
    }

    public static async Task ExpectAsync(byte[] model, BlockSource image)
    {
        byte[] content = new byte[model.Length];
        await image.ReadAsync(0, content);
        Assert.Equal(model.Length, content.AsSpan().CommonPrefixLength(model));
    }

    /// <summary>Writes and discards at random, in multiples of <paramref name="unit"/>.</summary>
    public static async Task ScribbleAsync(BlockStore image, byte[] model, Random random, int count, int unit = 512)
    {
        for (int i = 0; i < count; i++)
        {
            int offset = random.Next(model.Length / unit) * unit;
            int length = Math.Min(random.Next(1, 24) * unit, model.Length - offset);
            if (random.Next(3) == 0)
            {
                await image.DiscardAsync(offset, length);
                model.AsSpan(offset, length).Clear();
            }
            else
            {
                random.NextBytes(model.AsSpan(offset, length));
                await image.WriteAsync(offset, model.AsMemory(offset, length));
            }
        }
    }
}
