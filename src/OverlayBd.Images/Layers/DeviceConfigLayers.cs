// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;
using OverlayBd.Registry;

namespace OverlayBd.Images.Layers;

/// <summary>The layers of a device, as its config names them (overlaybd <c>src/image_file.cpp</c>).</summary>
internal static class DeviceConfigLayers
{
    /// <summary>The files of a layer's directory that may hold it, in the order they are tried.</summary>
    private static readonly string[] s_fileNames = ["overlaybd.commit", ".commit", "overlaybd.sealed"];

    /// <summary>The lowers that are layers: the acceleration layer, which only holds a trace, is left out.</summary>
    public static IReadOnlyList<LowerConfig> Lowers(DeviceConfig config) =>
        config.AccelerationLayer && config.Lowers.Count > 0 ? [.. config.Lowers.SkipLast(1)] : config.Lowers;

    /// <summary>Whether a layer may have to be fetched.</summary>
    public static bool NeedRepository(DeviceConfig config) =>
        Lowers(config).Any(lower => lower.Digest is not null && !FindFiles(lower).Any(File.Exists));

    /// <exception cref="NotSupportedException">A lower, or the upper, is of turboOCI.</exception>
    public static List<LayerDescription> Describe(DeviceConfig config, ImageRepository? repository)
    {
        if (config.Upper.Target is not null || config.Upper.GzipIndex is not null)
        {
            throw new NotSupportedException(
                "The upper of the device config is of turboOCI (target, gzipIndex); only overlaybd layers can be opened.");
        }

        return [.. Lowers(config).Select((lower, index) => Describe(lower, index, repository))];
    }

    private static LayerDescription Describe(LowerConfig lower, int index, ImageRepository? repository)
    {
        string name = $"{lower.Digest?.ToString() ?? lower.File ?? lower.Directory ?? "without a name"} (layer {index}"
            + (lower.Digest is null || repository is null ? ")" : $" of {repository.Name})");
        if (lower.TargetFile is not null || lower.TargetDigest is not null || lower.GzipIndex is not null)
        {
            throw new NotSupportedException(
                $"Layer {name} is a turboOCI layer (targetFile, targetDigest or gzipIndex); only overlaybd layers can be opened.");
        }

        return new LayerDescription
        {
            Name = name,
            Paths = [.. FindFiles(lower)],
            DownloadDirectory = lower.Directory,
            Digest = lower.Digest,
            Size = lower.Size,
            Repository = repository,
        };
    }

    private static IEnumerable<string> FindFiles(LowerConfig lower)
    {
        if (lower.File is string file)
        {
            yield return file;
        }

        if (lower.Directory is string directory)
        {
            foreach (string name in s_fileNames)
            {
                yield return Path.Combine(directory, name);
            }
        }
    }
}
