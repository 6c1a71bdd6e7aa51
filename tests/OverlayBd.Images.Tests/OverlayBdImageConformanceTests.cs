// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Images.Tests;

public sealed class OverlayBdImageSourceTests : BlockSourceConformance, IDisposable
{
    private readonly TempDirectory _files = new();
    private readonly FakeRepository _repository = new();

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        string name = Guid.NewGuid().ToString("N");
        using var layer = new MemoryStream();
        await using (LsmtWritableImage upper = await LsmtWritableImage.CreateAsync(
            _files[name + ".data"], _files[name + ".index"], new LsmtWritableOptions { VirtualSize = content.Length }))
        {
            await upper.WriteAsync(0, content);
            await upper.CommitAsync(layer, new LsmtCommitOptions());
        }

        return await OverlayBdImage.OpenAsync(_repository, GoldenStack.Manifest(_repository.Add(layer.ToArray())), new());
    }

    public void Dispose() => _files.Dispose();
}

public sealed class OverlayBdImageStoreTests : BlockStoreConformance, IDisposable
{
    private readonly TempDirectory _files = new();
    private int _count;

    protected override async ValueTask<BlockStore> CreateAsync() => await OpenAsync(++_count);

    protected override async ValueTask<BlockStore?> ReopenAsync(BlockStore store)
    {
        await store.DisposeAsync();
        return await OpenAsync(_count);
    }

    private Task<OverlayBdImage> OpenAsync(int number)
    {
        var upper = new WritableUpper(_files[$"{number}.data"], _files[$"{number}.index"]) { CreateIfMissing = true, VirtualSize = StoreLength };
        return OverlayBdImage.OpenAsync(new(), new OverlayBdImageOptions { WritableUpper = upper });
    }

    public void Dispose() => _files.Dispose();
}
