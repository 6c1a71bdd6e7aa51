// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A sparse upper keeps the contract, also when it is opened again.</summary>
public class SparseUpperConformanceTests : BlockStoreConformance, IDisposable
{
    private readonly UpperFiles _files = new(StoreLength);

    public void Dispose()
    {
        _files.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async ValueTask<BlockStore> CreateAsync() => await _files.CreateAsync("upper", sparse: true, await LowerAsync());

    protected override async ValueTask<BlockStore?> ReopenAsync(BlockStore store)
    {
        await store.DisposeAsync();
        return await _files.OpenAsync("upper", await LowerAsync());
    }

    private protected virtual ValueTask<LsmtImage?> LowerAsync() => new((LsmtImage?)null);

    private protected async ValueTask<LsmtImage> ZerosAsync() => await _files.LowerAsync(new byte[StoreLength]);
}
