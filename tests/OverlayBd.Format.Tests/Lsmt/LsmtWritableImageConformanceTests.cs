// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>A pair of its own keeps the contract, also when it is opened again.</summary>
public class LsmtWritableImageConformanceTests : BlockStoreConformance, IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async ValueTask<BlockStore> CreateAsync()
    {
        return await LsmtWritableImage.CreateAsync(
            _directory["data"], _directory["index"], new LsmtWritableOptions { VirtualSize = StoreLength }, await LowerAsync());
    }

    protected override async ValueTask<BlockStore?> ReopenAsync(BlockStore store)
    {
        await store.DisposeAsync();
        return await LsmtWritableImage.OpenAsync(_directory["data"], _directory["index"], await LowerAsync());
    }

    private protected virtual ValueTask<LsmtImage?> LowerAsync() => new((LsmtImage?)null);

    private protected async ValueTask<LsmtImage> NoisyLowerAsync()
    {
        byte[] noise = new byte[StoreLength];
        new Random(9).NextBytes(noise);
        LsmtLayer bottom = await LsmtLayers.BuildAsync(_directory, StoreLength, async image => await image.WriteAsync(0, noise));
        LsmtLayer top = await LsmtLayers.BuildAsync(_directory, StoreLength, async image => await image.DiscardAsync(0, StoreLength));
        return LsmtImage.Stack([bottom, top]);
    }
}
