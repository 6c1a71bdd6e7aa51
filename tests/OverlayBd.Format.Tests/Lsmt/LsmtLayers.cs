// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Lsmt;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Makes layers for tests.</summary>
internal static class LsmtLayers
{
    private static int s_next;

    /// <summary>Commits what <paramref name="write"/> writes; the bytes of the layer.</summary>
    public static async Task<byte[]> CommitAsync(TempDirectory directory, long virtualSize, Func<LsmtWritableImage, Task> write)
    {
        string name = Interlocked.Increment(ref s_next).ToString(CultureInfo.InvariantCulture);
        await using LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            directory[name + ".data"], directory[name + ".index"], new LsmtWritableOptions { VirtualSize = virtualSize });
        await write(image);
        using var output = new MemoryStream();
        await image.CommitAsync(output, new LsmtCommitOptions());
        return output.ToArray();
    }

    /// <summary>Commits what <paramref name="write"/> writes; the open layer.</summary>
    public static async Task<LsmtLayer> BuildAsync(TempDirectory directory, long virtualSize, Func<LsmtWritableImage, Task> write) =>
        await LsmtLayer.OpenAsync(new MemoryBlockSource(await CommitAsync(directory, virtualSize, write)), "test layer");

    /// <summary>A sector that tells who wrote it and where.</summary>
    public static byte[] Sectors(int writer, long sector, int count)
    {
        byte[] data = new byte[count * 512];
        for (int i = 0; i < count; i++)
        {
            long stamp = ((long)writer << 40) | (sector + i);
            data.AsSpan(i * 512, 512).Fill((byte)(writer * 31 + i));
            BitConverter.TryWriteBytes(data.AsSpan(i * 512), stamp);
        }

        return data;
    }
}
