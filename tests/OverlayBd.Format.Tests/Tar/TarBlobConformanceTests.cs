// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Tar;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Tar;

public sealed class TarBlobConformanceTests : BlockSourceConformance
{
    protected override int ContentLength => 300_001;

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content) =>
        await TarBlobSource.OpenAsync(new MemoryBlockSource(await TarBlobs.WriteAsync(content)), "test");
}
