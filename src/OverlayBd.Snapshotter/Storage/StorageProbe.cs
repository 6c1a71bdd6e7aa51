// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.ZFile;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;

namespace OverlayBd.Snapshotter.Storage;

/// <summary>Tells how the content of a snapshot is stored, by its labels and by the files in its directory.</summary>
internal static class StorageProbe
{
    private const int TarRecord = 512;
    private const int TarMagicOffset = 257;

    private static ReadOnlySpan<byte> LsmtMagic => "LSMT\0\x01\x02\0"u8;

    public static LayerStorage Identify(SnapshotDirectory directory, IReadOnlyDictionary<string, string> labels)
    {
        if (labels.IsRemoteLayer())
        {
            return LayerStorage.RemoteBlock;
        }

        if (FindLayerFile(directory) is not null)
        {
            return LayerStorage.LocalBlock;
        }

        return File.Exists(directory.Config) && !File.Exists(directory.CommitFile) ? LayerStorage.RemoteBlock : LayerStorage.Normal;
    }

    /// <summary>The layer file that a backstore finds in the snapshot's directory; null when there is none.</summary>
    public static string? FindLayerFile(SnapshotDirectory directory) =>
        IsLayer(directory.CommitFile) ? directory.CommitFile
        : !File.Exists(directory.CommitFile) && IsLayer(directory.SealedFile) ? directory.SealedFile
        : null;

    private static bool IsLayer(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Span<byte> start = stackalloc byte[2 * TarRecord];
            Span<byte> found = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            bool isTar = found.Length == start.Length && found[TarMagicOffset..].StartsWith("ustar"u8);
            return IsLayer(found) || (isTar && IsLayer(found[TarRecord..]));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static bool IsLayer(ReadOnlySpan<byte> start) => start.StartsWith(LsmtMagic) || ZFileSource.IsZFile(start);
}
