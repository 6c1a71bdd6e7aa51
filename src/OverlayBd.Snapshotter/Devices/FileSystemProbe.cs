// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Which file system a device holds, by its super block.</summary>
internal static class FileSystemProbe
{
    private const int ErofsOffset = 1024;
    private const uint ErofsMagic = 0xE0F5E1E2;
    private const int ExtOffset = 1024 + 56;
    private const ushort ExtMagic = 0xEF53;
    private const int Length = 4096;

    /// <summary>Reads the type; null for one that is not known here, or none.</summary>
    /// <exception cref="IOException">The device cannot be read.</exception>
    public static async Task<string?> DetectAsync(string device, CancellationToken cancellationToken)
    {
        byte[] start = new byte[Length];
        FileStream file = new(device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, useAsync: true);
        await using (file.ConfigureAwait(false))
        {
            int read = await file.ReadAtLeastAsync(start, Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return read < Length ? null : Detect(start);
        }
    }

    private static string? Detect(ReadOnlySpan<byte> start)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(start[ErofsOffset..]) == ErofsMagic)
        {
            return "erofs";
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(start[ExtOffset..]) == ExtMagic)
        {
            return "ext4";
        }

        return start.StartsWith("XFSB"u8) ? "xfs" : null;
    }
}
