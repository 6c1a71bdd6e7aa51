// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing;

namespace OverlayBd.Format.Tests;

public sealed class FileBlockStoreTests : BlockStoreConformance, IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    protected override ValueTask<BlockStore> CreateAsync() => new(FileBlockStore.Create(_directory["store"], StoreLength));

    protected override async ValueTask<BlockStore?> ReopenAsync(BlockStore store)
    {
        await store.DisposeAsync();
        return FileBlockStore.Open(_directory["store"]);
    }
}
