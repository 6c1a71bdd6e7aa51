// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images;

/// <summary>The two files of a writable layer, and whether they may be made.</summary>
public sealed record WritableUpper
{
    /// <summary>Names the files of a writable layer.</summary>
    /// <param name="dataPath">The path of the data file.</param>
    /// <param name="indexPath">The path of the index file.</param>
    /// <exception cref="ArgumentException">A path is empty.</exception>
    public WritableUpper(string dataPath, string indexPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(dataPath);
        ArgumentException.ThrowIfNullOrEmpty(indexPath);
        DataPath = dataPath;
        IndexPath = indexPath;
    }

    /// <summary>Gets the path of the data file.</summary>
    public string DataPath { get; }

    /// <summary>Gets the path of the index file.</summary>
    public string IndexPath { get; }

    /// <summary>Gets whether the files are made when neither exists.</summary>
    /// <value>Default <see langword="false"/>: they must exist.</value>
    public bool CreateIfMissing { get; init; }

    /// <summary>Gets whether the files, when they are made, are those of a sparse layer: every byte at its own place in the data file,
    /// which needs
    /// no more space than the disk has, and a file system with holes.</summary>
    /// <value>Default <see langword="false"/>: a log-structured layer. Files that exist are opened as what they are.</value>
    public bool IsSparse { get; init; }

    /// <summary>Gets the size of the disk when the files are made, in bytes, a multiple of 512; 0 for that of the layers below.</summary>
    public long VirtualSize { get; init; }
}
