// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Images.Layers;

namespace OverlayBd.Images;

/// <summary>The device config that a live snapshot goes on with (overlaybd <c>src/image_file.cpp</c>, <c>create_snapshot</c>).</summary>
internal static class SnapshotConfig
{
    /// <summary>Checks that a config is the present one with the upper as its last lower, and has an upper of its own.</summary>
    /// <exception cref="InvalidDataException">It is not; the message says in what.</exception>
    public static void Check(DeviceConfig config, LsmtWritableImage upper, int layers)
    {
        if (config.Upper is not { Data: string data, Index: string index })
        {
            throw new InvalidDataException("The config of the snapshot has no upper.");
        }

        if (config.Upper.Target is not null || config.Upper.GzipIndex is not null)
        {
            throw new InvalidDataException("The upper in the config of the snapshot is of turboOCI (target, gzipIndex).");
        }

        string[] old = [Path.GetFullPath(upper.DataPath), Path.GetFullPath(upper.IndexPath)];
        if (old.Contains(Path.GetFullPath(data)) || old.Contains(Path.GetFullPath(index)))
        {
            throw new InvalidDataException($"The upper in the config of the snapshot ('{data}', '{index}') is in use; expected new files.");
        }

        // Opened with any other lowers, the image would not be what it is now.
        IReadOnlyList<LowerConfig> lowers = DeviceConfigLayers.Lowers(config);
        if (lowers.Count != layers + 1)
        {
            throw new InvalidDataException(
                $"The config of the snapshot has {lowers.Count} lowers; expected {layers + 1}, the last one '{upper.DataPath}'.");
        }

        if (lowers[^1].File is not string file || Path.GetFullPath(file) != old[0])
        {
            throw new InvalidDataException(
                $"The last lower in the config of the snapshot is '{lowers[^1].File}'; expected '{upper.DataPath}', which is being "
                + "sealed.");
        }
    }

    /// <summary>Puts the new config's file in the place of the old one's, durably.</summary>
    /// <exception cref="IOException">It could not be moved; nothing has changed.</exception>
    public static void Replace(string newPath, string path, ILogger logger)
    {
        using (Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(newPath, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(file);
        }

        // The file system may not copy here, because half a config would open nothing.
        if (!FileCalls.TryRename(newPath, path, out string error))
        {
            throw new IOException($"'{newPath}' cannot take the place of '{path}': {error}");
        }

        // The move has happened: to go back now would leave the new config with a layer that is not sealed.
        if (!FileCalls.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!))
        {
            ImageLog.DirectoryFlushFailed(logger, path);
        }
    }
}
