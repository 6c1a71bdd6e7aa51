// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The two files of a writable pair, as files: opening them, and their headers.</summary>
internal static class LsmtFiles
{
    /// <summary>Opens a data file. Others may read it, as a sealed layer for instance.</summary>
    public static SafeFileHandle OpenData(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Opens an index file, exclusively: two writers of one pair would destroy it.</summary>
    public static SafeFileHandle OpenIndex(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Fills a buffer from a file.</summary>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    public static async ValueTask ReadAsync(
        SafeFileHandle file, string path, long position, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            int read = await RandomAccess.ReadAsync(file, buffer, position, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new EndOfStreamException($"'{path}' ends at byte {position}, while it is being read.");
            }

            buffer = buffer[read..];
            position += read;
        }
    }

    /// <summary>Reads and checks a header.</summary>
    /// <exception cref="InvalidDataException">The file is too short, or starts with something else.</exception>
    public static async ValueTask<LsmtHeader> ReadHeaderAsync(
        SafeFileHandle file, string path, LsmtHeaderFlags expected, LsmtHeaderFlags mask, CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(file);
        if (length < LsmtConstants.HeaderSpace)
        {
            LsmtThrowHelper.ThrowFileTooShort(path, length);
        }

        byte[] block = new byte[LsmtConstants.HeaderSpace];
        await ReadAsync(file, path, 0, block, cancellationToken).ConfigureAwait(false);
        return LsmtHeader.Parse(block, expected, mask, path, 0);
    }

    /// <summary>Writes a header and makes it durable.</summary>
    public static void WriteHeader(SafeFileHandle file, LsmtHeader header)
    {
        Span<byte> block = stackalloc byte[LsmtConstants.HeaderSpace];
        header.WriteTo(block);
        RandomAccess.Write(file, block, 0);
        RandomAccess.FlushToDisk(file);
    }
}
