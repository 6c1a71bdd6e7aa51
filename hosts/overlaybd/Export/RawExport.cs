// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Terminal;

namespace OverlayBd.Cli.Export;

/// <summary>The disk as one file, with a hole wherever it reads as zeros.</summary>
internal static class RawExport
{
    private const int ChunkSize = 1 << 20;
    private const int HoleSize = 4096;

    public static async Task WriteAsync(ParseResult parsed, ImageArgument image, string file, CancellationToken cancellationToken)
    {
        await using OpenedDisk disk = await OpenedDisk.OpenAsync(parsed, image, cancellationToken);
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        using SafeFileHandle handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write);
        RandomAccess.SetLength(handle, disk.Image.Length);
        byte[] chunk = new byte[ChunkSize];
        for (long offset = 0; offset < disk.Image.Length; offset += ChunkSize)
        {
            Memory<byte> part = chunk.AsMemory(0, (int)Math.Min(ChunkSize, disk.Image.Length - offset));
            await disk.Image.ReadAsync(offset, part, cancellationToken);
            WriteData(handle, offset, part.Span);
            display.Report("export", offset + part.Length, disk.Image.Length, "reading");
        }

        RandomAccess.FlushToDisk(handle);
        display.Finish("export", $"{ByteText.Format(disk.Image.Length)} disk");
    }

    private static void WriteData(SafeFileHandle handle, long offset, ReadOnlySpan<byte> data)
    {
        if (!data.ContainsAnyExcept((byte)0))
        {
            return;
        }

        for (int start = 0; start < data.Length; start += HoleSize)
        {
            ReadOnlySpan<byte> block = data.Slice(start, Math.Min(HoleSize, data.Length - start));
            if (block.ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(handle, block, offset + start);
            }
        }
    }
}
