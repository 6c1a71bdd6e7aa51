// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>A snapshot of an image in use loses nothing, whichever kinds the uppers are of, and whatever happens on the way.</summary>
public sealed class SnapshotTests : IDisposable
{
    private const int VirtualSize = 2 * 1024 * 1024;

    private readonly UpperFiles _files = new(VirtualSize);
    private readonly byte[] _below = UpperFiles.Noise(VirtualSize, 1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public async Task Image_OverSnapshots_IsLikeAnArray_AndSoIsWhatItLeavesBehind(bool first, bool second, bool onLower)
    {
        byte[] model = onLower ? [.. _below] : new byte[VirtualSize];
        var random = new Random(3);
        await using (LsmtWritableImage image = await _files.CreateAsync("0", first, onLower ? await _files.LowerAsync(_below) : null))
        {
            for (int i = 1; i <= 3; i++)
            {
                await UpperFiles.ScribbleAsync(image, model, random, 40);
                LsmtWritableImage next = await _files.CreateAsync($"{i}", i % 2 == 0 ? first : second, size: i == 1 ? 0 : VirtualSize);
                LsmtLayer layer = await image.SnapshotAsync(next, cancellationToken: Token);
                Assert.Equal((layer.Uuid, next.IsSparse), (image.ParentUuid, image.IsSparse));
                Assert.Equal((_files[$"{i}.data"], 0), (image.DataPath, image.MappingCount));
                await UpperFiles.ExpectAsync(model, image);
                await UpperFiles.ScribbleAsync(image, model, random, 40);
                await UpperFiles.ExpectAsync(model, image);
            }

            Assert.Equal(onLower ? 4 : 3, image.Lower!.Layers.Count);
            Assert.Equal(VirtualSize, image.Length);
        }

        byte[]? content = onLower ? _below : null;
        await using LsmtWritableImage reopened = await _files.OpenAsync("3", await _files.StackAsync(content, "0", "1", "2"));
        await UpperFiles.ExpectAsync(model, reopened);
        using var merged = new MemoryStream();
        await reopened.CommitAsync(merged, new LsmtCommitOptions(), Token);
        await Assert.ThrowsAsync<InvalidDataException>(() => _files.OpenAsync("1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Snapshots_UnderLoad_LoseNoWrite(bool sparse)
    {
        const int Writers = 4;
        const int Part = VirtualSize / Writers;
        byte[] model = [.. _below];
        await using (LsmtWritableImage image = await _files.CreateAsync("0", sparse, await _files.LowerAsync(_below)))
        {
            using var stop = new CancellationTokenSource();
            Task[] writers = [.. Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
            {
                var random = new Random(writer);
                byte[] read = new byte[16384];
                for (int i = 0; !stop.IsCancellationRequested; i++)
                {
                    int offset = (writer * Part) + (random.Next((Part - read.Length) / 512) * 512);
                    int length = random.Next(1, 32) * 512;
                    if (random.Next(5) == 0)
                    {
                        model.AsSpan(offset, length).Clear();
                        await image.DiscardAsync(offset, length);
                    }
                    else
                    {
                        random.NextBytes(model.AsSpan(offset, length));
                        await image.WriteAsync(offset, model.AsMemory(offset, length));
                    }

                    await image.ReadAsync(offset, read.AsMemory(0, length));
                    Assert.True(model.AsSpan(offset, length).SequenceEqual(read.AsSpan(0, length)), $"{length} bytes at {offset}");
                    if (i % 16 == 0)
                    {
                        await image.FlushAsync();
                        await image.ReadAsync(writer * Part, read);
                        Assert.True(model.AsSpan(writer * Part, read.Length).SequenceEqual(read));
                    }
                }
            }))];
            for (int i = 1; i <= 8; i++)
            {
                await image.SnapshotAsync(await _files.CreateAsync($"{i}", sparse ^ (i % 3 == 0)), cancellationToken: Token);
            }

            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await UpperFiles.ExpectAsync(model, image);
        }

        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"{i}")];
        await using LsmtWritableImage reopened = await _files.OpenAsync("8", await _files.StackAsync(_below, names));
        await UpperFiles.ExpectAsync(model, reopened);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Snapshot_ThatCannotBePublished_IsUndone(bool sparse)
    {
        byte[] model = [.. _below];
        var random = new Random(5);
        await using (LsmtWritableImage image = await _files.CreateAsync("0", sparse, await _files.LowerAsync(_below)))
        {
            await UpperFiles.ScribbleAsync(image, model, random, 40);
            await using LsmtWritableImage next = await _files.CreateAsync("1", sparse);
            await Assert.ThrowsAsync<IOException>(() => image.SnapshotAsync(next, _ => throw new IOException("no"), Token));
            Assert.Equal(_files["0.data"], image.DataPath);
            await UpperFiles.ScribbleAsync(image, model, random, 40);
            await UpperFiles.ExpectAsync(model, image);
        }

        await using LsmtWritableImage reopened = await _files.OpenAsync("0", await _files.LowerAsync(_below));
        await UpperFiles.ExpectAsync(model, reopened);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Crash_BeforeOrAfterPublishing_LeavesAUsableStack(bool sparse)
    {
        byte[] model = [.. _below];
        byte[] added = UpperFiles.Noise(4096, 9);
        await using (LsmtWritableImage image = await _files.CreateAsync("0", sparse, await _files.LowerAsync(_below)))
        {
            await UpperFiles.ScribbleAsync(image, model, new Random(6), 40);
            LsmtWritableImage next = await _files.CreateAsync("1", sparse);
            Task? write = null;
            await image.SnapshotAsync(
                next,
                _ =>
                {
                    write = image.WriteAsync(8192, added, CancellationToken.None).AsTask();
                    Assert.False(write.IsCompleted);
                    foreach (string name in (string[])["0.data", "0.index", "1.data", "1.index"])
                    {
                        UpperFiles.Copy(_files[name], _files["crash" + name]);
                    }

                    return ValueTask.CompletedTask;
                },
                Token);
            await write!;
        }

        // Not published: the old pair is the upper, with everything in it.
        UpperFiles.Copy(_files["crash0.data"], _files["old.data"]);
        UpperFiles.Copy(_files["crash0.index"], _files["old.index"]);
        await using (LsmtWritableImage old = await _files.OpenAsync("old", await _files.LowerAsync(_below)))
        {
            await UpperFiles.ExpectAsync(model, old);
            await old.WriteAsync(4096, added, Token);
        }

        await using (LsmtWritableImage old = await _files.OpenAsync("old", await _files.LowerAsync(_below)))
        {
            byte[] expected = [.. model];
            added.CopyTo(expected, 4096);
            await UpperFiles.ExpectAsync(expected, old);
        }

        // Published: the old data file is a layer, and the new pair is empty.
        await using LsmtWritableImage image2 = await _files.OpenAsync("crash1", await _files.StackAsync(_below, "crash0"));
        await UpperFiles.ExpectAsync(model, image2);
    }

    [Fact]
    public async Task Snapshot_ToWhatIsNoEmptyUpper_IsRefused()
    {
        await using LsmtWritableImage image = await _files.CreateAsync("0", sparse: false);
        await using LsmtWritableImage used = await _files.CreateAsync("1", sparse: false);
        await used.WriteAsync(0, new byte[512], Token);
        await Assert.ThrowsAsync<ArgumentException>(() => image.SnapshotAsync(used, cancellationToken: Token));
        await using LsmtWritableImage small = await _files.CreateAsync("2", sparse: false, size: 4096);
        await Assert.ThrowsAsync<ArgumentException>(() => image.SnapshotAsync(small, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(() => image.SnapshotAsync(image, cancellationToken: Token));
        await image.WriteAsync(0, new byte[512], Token);
        await image.SealAsync(Token);
        await using LsmtWritableImage good = await _files.CreateAsync("3", sparse: false);
        await Assert.ThrowsAsync<InvalidOperationException>(() => image.SnapshotAsync(good, cancellationToken: Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Resize_UnderUse_IsSeenAtOnce_AndLasts(bool sparse)
    {
        byte[] tail = UpperFiles.Noise(8192, 3);
        await using (LsmtWritableImage image = await _files.CreateAsync("0", sparse, await _files.LowerAsync(_below)))
        {
            IResizable resizable = image;
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await resizable.ResizeAsync(VirtualSize - 512, Token));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await resizable.ResizeAsync(VirtualSize + 1, Token));
            await resizable.ResizeAsync(2 * VirtualSize, Token);
            Assert.Equal(2 * VirtualSize, image.Length);
            await image.WriteAsync((2 * VirtualSize) - tail.Length, tail, Token);
            await image.SnapshotAsync(await _files.CreateAsync("1", sparse, size: 0), cancellationToken: Token);
            Assert.Equal(2 * VirtualSize, image.Length);
            await resizable.ResizeAsync(3 * VirtualSize, Token);
        }

        await using LsmtWritableImage reopened = await _files.OpenAsync("1", await _files.StackAsync(_below, "0"));
        Assert.Equal(3 * VirtualSize, reopened.Length);
        byte[] model = new byte[3 * VirtualSize];
        _below.CopyTo(model, 0);
        tail.CopyTo(model, (2 * VirtualSize) - tail.Length);
        await UpperFiles.ExpectAsync(model, reopened);
    }
}
