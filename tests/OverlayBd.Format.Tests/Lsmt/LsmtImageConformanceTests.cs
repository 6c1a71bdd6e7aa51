// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>A stack of three layers, each of which holds some of the content, passes for the content itself.</summary>
public sealed class LsmtImageConformanceTests : BlockSourceConformance, IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        var random = new Random(3);
        byte[] noise = new byte[content.Length];
        random.NextBytes(noise);
        var layers = new List<LsmtLayer>();
        for (int i = 0; i < 3; i++)
        {
            layers.Add(await LsmtLayers.BuildAsync(_directory, content.Length, async image =>
            {
                if (i == 0)
                {
                    await image.WriteAsync(0, noise);
                }

                for (int at = 0; at < content.Length; at += 8192)
                {
                    if (i == 1 || (i == 2 && random.Next(2) == 0))
                    {
                        await image.WriteAsync(at, content.AsMemory(at, 8192));
                    }
                }

                if (i == 2)
                {
                    await image.DiscardAsync(content.Length / 4, content.Length / 8);
                }
            }));
        }

        return LsmtImage.Stack(layers);
    }
}
