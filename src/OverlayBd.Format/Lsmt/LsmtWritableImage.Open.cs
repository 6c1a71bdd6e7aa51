// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <content>Creating and opening a pair.</content>
public sealed partial class LsmtWritableImage
{
    private const LsmtHeaderFlags DataFlags = LsmtHeaderFlags.Header | LsmtHeaderFlags.DataFile;

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
            cancellationToken.ThrowIfCancellationRequested();
            data = LsmtFiles.OpenData(dataPath, FileMode.CreateNew);
            index = LsmtFiles.OpenIndex(indexPath, FileMode.CreateNew);
            if (options.SparseFiles is null)
            {
                LsmtFiles.WriteHeader(index, indexHeader);
            }
            else
            {
                RandomAccess.SetLength(data, LsmtConstants.HeaderSpace + (long)header.VirtualSize);
            }

            LsmtFiles.WriteHeader(data, header);
            LsmtUpper upper = options.SparseFiles is null
                ? new LsmtLogUpper(
                    new LsmtDataFile(data, dataPath, LsmtConstants.HeaderSpace),
                    new LsmtIndexLog(index, indexPath, LsmtConstants.HeaderSpace),
                    new LsmtWritableIndex(),
                    header,
                    indexHeader,
                    CountLayers(lower))
                : await OpenSparseAsync(
                    data, dataPath, index, indexPath, options.SparseFiles, lower, cancellationToken).ConfigureAwait(false);
            return new LsmtWritableImage(upper, lower);
        }
        catch
        {
            Delete(data, dataPath);
            Delete(index, indexPath);
            throw;
        }
    }

    /// <summary>Opens a pair, also one that a crash left behind: what was never flushed may then be missing.</summary>
    /// <param name="dataPath">The data file.</param>
    /// <param name="indexPath">The index file. It is locked: a pair has one writer.</param>
    /// <param name="lower">The image below; owned by the writable image once that has been opened. A pair that states no virtual
    /// size takes over the lower image's, for good.</param>
    /// <param name="sparseFiles">The system calls of a sparse upper; without them only a log-structured one opens.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The writable image; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The files are no writable pair, or are damaged, or have been sealed by a
    /// snapshot.</exception>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="IOException">A file cannot be opened, read or repaired; or somebody else has the pair open.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read and written.</exception>
    public static async Task<LsmtWritableImage> OpenAsync(
        string dataPath,
        string indexPath,
        LsmtImage? lower = null,
        ISparseFiles? sparseFiles = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataPath);
        ArgumentException.ThrowIfNullOrEmpty(indexPath);
        SafeFileHandle index = LsmtFiles.OpenIndex(indexPath, FileMode.Open);
        SafeFileHandle? data = null;
        try
        {
            data = LsmtFiles.OpenData(dataPath, FileMode.Open);
            LsmtHeader header = await LsmtFiles.ReadHeaderAsync(
                data, dataPath, DataFlags, DataFlags | LsmtHeaderFlags.Sealed, cancellationToken).ConfigureAwait(false);
            if (header.Flags.HasFlag(LsmtHeaderFlags.SparseData) && sparseFiles is null)
            {
                LsmtThrowHelper.ThrowSparse(dataPath);
            }

            LsmtUpper upper = header.Flags.HasFlag(LsmtHeaderFlags.SparseData)
                ? await OpenSparseAsync(data, dataPath, index, indexPath, sparseFiles!, lower, cancellationToken).ConfigureAwait(false)
                : await OpenLogAsync(data, dataPath, header, index, indexPath, lower, cancellationToken).ConfigureAwait(false);
            return new LsmtWritableImage(upper, lower);
        }
        catch
        {
            data?.Dispose();
            index.Dispose();
            throw;
        }
    }

    private static byte CountLayers(LsmtImage? lower) => (byte)(lower?.Layers.Count ?? 0);

    private static async ValueTask<LsmtUpper> OpenLogAsync(
        SafeFileHandle data,
        string dataPath,
        LsmtHeader dataHeader,
        SafeFileHandle index,
        string indexPath,
        LsmtImage? lower,
        CancellationToken cancellationToken)
    {
        LsmtHeader indexHeader = await LsmtFiles.ReadHeaderAsync(
            index, indexPath, LsmtHeaderFlags.Header, DataFlags | LsmtHeaderFlags.Sealed, cancellationToken).ConfigureAwait(false);
        if (indexHeader.IndexOffset != LsmtConstants.HeaderSpace)
        {
            LsmtThrowHelper.ThrowIndexFileOffset(indexPath, indexHeader.IndexOffset);
        }

        // With the data of another pair, recovery would take the records for those of lost writes and cut them off.
        if (indexHeader.Uuid != dataHeader.Uuid)
        {
            LsmtThrowHelper.ThrowDifferentPairs(dataPath, dataHeader.Uuid, indexPath, indexHeader.Uuid);
        }

        if (indexHeader.VirtualSize == 0 && lower is not null)
        {
            indexHeader = indexHeader with { VirtualSize = (ulong)lower.Length };
            LsmtFiles.WriteHeader(data, dataHeader with { VirtualSize = indexHeader.VirtualSize });
            LsmtFiles.WriteHeader(index, indexHeader);
        }

        long length = RandomAccess.GetLength(data);
        LsmtWritableIndex mappings = new();
        LsmtLogRecovery recovery = new(index, indexPath, data, length / LsmtConstants.SectorSize, mappings);
        LsmtIndexLog log = await recovery.RunAsync(cancellationToken).ConfigureAwait(false);

        // A torn last sector belongs to no record; appending goes on behind it, at the next boundary.
        long end = (length + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize * LsmtConstants.SectorSize;
        if (end != length)
        {
            RandomAccess.SetLength(data, end);
        }

        // The original, too, takes size and identity from the index file.
        LsmtHeader header = dataHeader with { VirtualSize = indexHeader.VirtualSize, ParentUuid = indexHeader.ParentUuid };
        return new LsmtLogUpper(new LsmtDataFile(data, dataPath, end), log, mappings, header, indexHeader, CountLayers(lower));
    }

    private static async ValueTask<LsmtUpper> OpenSparseAsync(
        SafeFileHandle data,
        string dataPath,
        SafeFileHandle index,
        string indexPath,
        ISparseFiles files,
        LsmtImage? lower,
        CancellationToken cancellationToken)
    {
        LsmtHeader header = await LsmtFiles.ReadHeaderAsync(
            data, dataPath, DataFlags | LsmtHeaderFlags.SparseData, DataFlags | LsmtHeaderFlags.SparseData, cancellationToken)
            .ConfigureAwait(false);
        LsmtZeroLog zeros = await LsmtZeroLog.OpenAsync(index, indexPath, dataPath, header, cancellationToken).ConfigureAwait(false);
        if (header.VirtualSize == 0 && lower is not null)
        {
            header = header with { VirtualSize = (ulong)lower.Length };
            LsmtFiles.WriteHeader(data, header);
            zeros.WriteHeader(header);
        }

        // Longer after a seal that was never made use of, shorter after a growth that a crash cut short.
        LsmtDataFile file = new(data, dataPath, RandomAccess.GetLength(data));
        long end = LsmtConstants.HeaderSpace + (long)header.VirtualSize;
        if (file.Length != end)
        {
            file.SetEnd(end);
        }

        LsmtWritableIndex mappings = new();
        LsmtSparseUpper.LoadIndex(files, file, zeros, mappings);
        return new LsmtSparseUpper(files, file, zeros, mappings, header, CountLayers(lower));
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
