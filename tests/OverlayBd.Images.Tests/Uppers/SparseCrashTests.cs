// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A power failure: of what was not flushed, the disk has any blocks of the data file and any beginning of the index file,
/// but for a hole whose zeros had to be on record before it was made. Nothing that was flushed is lost.</summary>
public sealed class SparseCrashTests : IDisposable
{
    private const int Block = 4096;
    private const int VirtualSize = 64 * Block;

    private readonly UpperFiles _files = new(VirtualSize);
    private readonly byte[] _below = UpperFiles.Noise(VirtualSize, 1);
    private readonly HashSet<string>[] _history = [.. Enumerable.Range(0, VirtualSize / 512).Select(_ => new HashSet<string>())];
    private long _durableIndex;

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Blocks_LostInAnyCombination_LoseNothingFlushed(int seed)
    {
        byte[] index = await RunAsync(seed);
        var random = new Random(seed);
        for (int i = 0; i < 40; i++)
        {
            UpperFiles.Copy(_files["flushed.data"], _files["crash.data"]);
            MixIn(random);
            int kept = random.Next(3) == 0 ? index.Length : random.Next((int)_durableIndex, index.Length + 1);
            File.WriteAllBytes(_files["crash.index"], index[..kept]);
            byte[] content = new byte[VirtualSize];
            await using LsmtWritableImage image = await _files.OpenAsync("crash", await _files.LowerAsync(_below));
            await image.ReadAsync(0, content);
            for (int sector = 0; sector < _history.Length; sector++)
            {
                string found = Convert.ToHexString(content, sector * 512, 512);
                Assert.True(_history[sector].Contains(found), $"sector {sector} of case {i} is neither what was flushed nor later");
            }
        }
    }

    /// <summary>Writes, flushes, keeps a copy, writes more.</summary>
    /// <returns>The index file at the end.</returns>
    private async Task<byte[]> RunAsync(int seed)
    {
        var random = new Random(seed);
        byte[] model = [.. _below];
        var calls = new RecordingSparseFiles();
        calls.Punching = (_, _) => _durableIndex = new FileInfo(_files["upper.index"]).Length;
        await using LsmtWritableImage image =
            await _files.CreateAsync("upper", sparse: true, await _files.LowerAsync(_below), files: calls);
        await UpperFiles.ScribbleAsync(image, model, random, 20);
        await image.FlushAsync();
        UpperFiles.Copy(_files["upper.data"], _files["flushed.data"]);
        _durableIndex = new FileInfo(_files["upper.index"]).Length;
        Remember(model);
        for (int i = 0; i < 30; i++)
        {
            await UpperFiles.ScribbleAsync(image, model, random, 1, i % 2 == 0 ? 512 : Block);
            Remember(model);
        }

        UpperFiles.Copy(_files["upper.index"], _files["final.index"]);
        return File.ReadAllBytes(_files["final.index"]);
    }

    /// <summary>Takes blocks of the final data file over, holes as holes.</summary>
    private void MixIn(Random random)
    {
        int chance = random.Next(1, 5);
        using SafeFileHandle final = File.OpenHandle(_files["upper.data"], share: FileShare.ReadWrite);
        using SafeFileHandle crash = File.OpenHandle(_files["crash.data"], access: FileAccess.ReadWrite);
        byte[] block = new byte[Block];
        for (long at = Block; at < Block + VirtualSize; at += Block)
        {
            if (random.Next(chance) != 0)
            {
                continue;
            }

            if (SparseFiles.Instance.TryFindData(final, at, out long start, out _) && start < at + Block)
            {
                Assert.Equal(Block, RandomAccess.Read(final, block, at));
                RandomAccess.Write(crash, block, at);
            }
            else
            {
                Assert.True(SparseFiles.Instance.TryPunchHole(crash, at, Block));
            }
        }
    }

    private void Remember(byte[] model)
    {
        for (int i = 0; i < _history.Length; i++)
        {
            _history[i].Add(Convert.ToHexString(model, i * 512, 512));
        }
    }
}
