// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <content>Creating and opening a pair.</content>
public sealed partial class LsmtWritableImage
{
    /// <summary>Creates an empty pair. When that fails, neither file is left behind.</summary>
    /// <param name="dataPath">The data file; there must be no such file yet.</param>
    /// <param name="indexPath">The index file; there must be no such file yet.</param>
    /// <param name="options">What the layer is.</param>
    /// <param name="lower">The image below; owned by the writable image once that has been created.</param>
    /// <param name="cancellationToken">Abandons the creation.</param>
    /// <returns>The writable image; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">An option is malformed.</exception>
    /// <exception cref="IOException">A file exists, or cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be created.</exception>
    public static async Task<LsmtWritableImage> CreateAsync(
        string dataPath,
        string indexPath,
        LsmtWritableOptions options,
        LsmtImage? lower = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataPath);
        ArgumentException.ThrowIfNullOrEmpty(indexPath);
        ArgumentNullException.ThrowIfNull(options);
        LsmtHeader header = options.CreateHeader(lower);
        LsmtHeader indexHeader = header with { Flags = LsmtHeaderFlags.Header, IndexOffset = LsmtConstants.HeaderSpace };
        SafeFileHandle? data = null;
        SafeFileHandle? index = null;
        try
        {
            data = LsmtFiles.OpenData(dataPath, FileMode.CreateNew);
            index = LsmtFiles.OpenIndex(indexPath, FileMode.CreateNew);
            await LsmtFiles.WriteHeaderAsync(data, header, cancellationToken).ConfigureAwait(false);
            await LsmtFiles.WriteHeaderAsync(index, indexHeader, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Delete(data, dataPath);
            Delete(index, indexPath);
            throw;
        }

        return new LsmtWritableImage(
            new LsmtLogFile(data, dataPath, LsmtConstants.HeaderSpace),
            new LsmtIndexLog(index, indexPath, LsmtConstants.HeaderSpace),
            new LsmtWritableIndex(),
            header,
            lower);
    }

    /// <summary>Opens a pair, also one that a crash left behind: what was never flushed may then be missing.</summary>
    /// <param name="dataPath">The data file.</param>
    /// <param name="indexPath">The index file. It is locked: a pair has one writer.</param>
    /// <param name="lower">The image below; owned by the writable image once that has been opened. A pair that states no virtual
    /// size takes over the lower image's, for good.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The writable image; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The files are no writable pair, or are damaged.</exception>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="IOException">A file cannot be opened, read or repaired; or somebody else has the pair open.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read and written.</exception>
    public static async Task<LsmtWritableImage> OpenAsync(
        string dataPath, string indexPath, LsmtImage? lower = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataPath);
        ArgumentException.ThrowIfNullOrEmpty(indexPath);
        SafeFileHandle index = LsmtFiles.OpenIndex(indexPath, FileMode.Open);
        SafeFileHandle? data = null;
        try
        {
            data = LsmtFiles.OpenData(dataPath, FileMode.Open);
            LsmtHeader header = await ReadHeadersAsync(data, dataPath, index, indexPath, lower, cancellationToken).ConfigureAwait(false);
            long length = RandomAccess.GetLength(data);
            LsmtWritableIndex mappings = new();
            LsmtIndexLog log = await LsmtIndexLog.RecoverAsync(
                index, indexPath, length / LsmtConstants.SectorSize, mappings, cancellationToken).ConfigureAwait(false);

            // A torn last sector belongs to no record; appending goes on behind it, at the next boundary.
            long end = (length + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize * LsmtConstants.SectorSize;
            if (end != length)
            {
                RandomAccess.SetLength(data, end);
            }

            return new LsmtWritableImage(new LsmtLogFile(data, dataPath, end), log, mappings, header, lower);
        }
        catch
        {
            data?.Dispose();
            index.Dispose();
            throw;
        }
    }

    private static async ValueTask<LsmtHeader> ReadHeadersAsync(
        SafeFileHandle data, string dataPath, SafeFileHandle index, string indexPath, LsmtImage? lower, CancellationToken cancellationToken)
    {
        const LsmtHeaderFlags DataFlags = LsmtHeaderFlags.Header | LsmtHeaderFlags.DataFile;
        LsmtHeader dataHeader = await LsmtFiles.ReadHeaderAsync(
            data, dataPath, DataFlags, DataFlags | LsmtHeaderFlags.Sealed, cancellationToken).ConfigureAwait(false);
        if (dataHeader.Flags.HasFlag(LsmtHeaderFlags.SparseData))
        {
            LsmtThrowHelper.ThrowSparse(dataPath);
        }

        LsmtHeader header = await LsmtFiles.ReadHeaderAsync(
            index, indexPath, LsmtHeaderFlags.Header, DataFlags | LsmtHeaderFlags.Sealed, cancellationToken).ConfigureAwait(false);
        if (header.IndexOffset != LsmtConstants.HeaderSpace)
        {
            LsmtThrowHelper.ThrowIndexFileOffset(indexPath, header.IndexOffset);
        }

        // With the data of another pair, recovery would take the records for those of lost writes and cut them off.
        if (header.Uuid != dataHeader.Uuid)
        {
            LsmtThrowHelper.ThrowDifferentPairs(dataPath, dataHeader.Uuid, indexPath, header.Uuid);
        }

        if (header.VirtualSize == 0 && lower is not null)
        {
            ulong size = (ulong)lower.Length;
            dataHeader = dataHeader with { VirtualSize = size };
            header = header with { VirtualSize = size };
            await LsmtFiles.WriteHeaderAsync(data, dataHeader, cancellationToken).ConfigureAwait(false);
            await LsmtFiles.WriteHeaderAsync(index, header, cancellationToken).ConfigureAwait(false);
        }

        // The original, too, takes size and identity from the index file.
        return dataHeader with { VirtualSize = header.VirtualSize, Uuid = header.Uuid, ParentUuid = header.ParentUuid };
    }

    private static void Delete(SafeFileHandle? file, string path)
    {
        // Only what this call created: a file that existed before could not be opened at all.
        if (file is not null)
        {
            file.Dispose();
            File.Delete(path);
        }
    }
}
