// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing;

namespace OverlayBd.Format.Tests;

public sealed class FileBlockSourceTests : BlockSourceConformance, IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    protected override async ValueTask<BlockSource> CreateAsync(byte[] content)
    {
        await File.WriteAllBytesAsync(_directory["file"], content);
        return FileBlockSource.Open(_directory["file"]);
    }

    [Fact]
    public async Task Read_OfAFileThatShrank_SaysWhereItEnds()
    {
        byte[] content = new byte[8192];
        await using BlockSource source = await CreateAsync(content);
        using (var file = new FileStream(_directory["file"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(5000);
        }

        EndOfStreamException error = await Assert.ThrowsAsync<EndOfStreamException>(
            async () => await source.ReadAsync(4096, new byte[4096]));
        Assert.Contains("5000", error.Message, StringComparison.Ordinal);
    }
}
