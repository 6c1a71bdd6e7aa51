// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Snapshotter.Labels;

/// <summary>Refuses what a caller may not send, before anything is done with it. Keys never become parts of paths; some labels do.</summary>
internal static class InputCheck
{
    public const int MaxNameLength = 4096;
    public const int MaxLabelLength = 64 * 1024;
    public const int MaxLabels = 1024;
    private const int MaxPathLength = 4096;

    /// <summary>Checks the key or the name of a snapshot.</summary>
    public static void Name(string name, string what)
    {
        if (name.Length == 0)
        {
            throw SnapshotException.Invalid($"{what} is empty");
        }

        if (Encoding.UTF8.GetByteCount(name) > MaxNameLength)
        {
            throw SnapshotException.Invalid($"{what} has {name.Length} characters; the longest has {MaxNameLength} bytes");
        }

        if (name.AsSpan().ContainsAnyInRange('\0', '\u001f'))
        {
            throw SnapshotException.Invalid($"{what} {SnapshotException.Printable(name)} has a control character");
        }
    }

    /// <summary>Checks labels, and drops those without a value.</summary>
    public static Dictionary<string, string> Labels(IReadOnlyDictionary<string, string>? labels)
    {
        Dictionary<string, string> kept = new(StringComparer.Ordinal);
        if (labels is null)
        {
            return kept;
        }

        if (labels.Count > MaxLabels)
        {
            throw SnapshotException.Invalid($"{labels.Count} labels; a snapshot has {MaxLabels} at most");
        }

        foreach ((string name, string value) in labels)
        {
            Name(name, "the name of a label");
            if (value.Length > MaxLabelLength)
            {
                throw SnapshotException.Invalid(
                    $"label {SnapshotException.Printable(name)} has {value.Length} characters; the longest has {MaxLabelLength}");
            }

            if (value.Contains('\0', StringComparison.Ordinal))
            {
                throw SnapshotException.Invalid($"label {SnapshotException.Printable(name)} has a zero character");
            }

            if (value.Length > 0)
            {
                kept[name] = value;
            }
        }

        Known(kept);
        return kept;
    }

    /// <summary>The size of a label that gives one: a number of bytes with a binary unit, as docker reads it.</summary>
    public static bool TryParseSize(string text, out long bytes)
    {
        bytes = 0;
        string number = text.Trim().ToLowerInvariant().TrimEnd('b').TrimEnd('i');
        int shift = number.Length == 0 ? -1 : number[^1] switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, 'p' => 50, _ => 0 };
        string digits = shift > 0 ? number[..^1].TrimEnd() : number;
        bool isNumber = shift >= 0 && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && value <= long.MaxValue >> shift && (bytes = (long)(value * (1L << shift))) >= 0;
        return isNumber;
    }

    private static void Known(Dictionary<string, string> labels)
    {
        if (labels.Find(SnapshotLabels.BlobDigest) is { } digest && !Digest.TryParse(digest, out _))
        {
            throw Malformed(SnapshotLabels.BlobDigest, digest, "a digest");
        }

        if (labels.Find(SnapshotLabels.BlobSize) is { } size && !long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw Malformed(SnapshotLabels.BlobSize, size, "a number of bytes");
        }

        if (labels.Find(SnapshotLabels.VirtualSize) is { } gibibytes
            && !(int.TryParse(gibibytes, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= 16384))
        {
            throw Malformed(SnapshotLabels.VirtualSize, gibibytes, "a number of GiB from 1 to 16384");
        }

        if (labels.Find(SnapshotLabels.DiskQuota) is { } quota && !TryParseSize(quota, out _))
        {
            throw Malformed(SnapshotLabels.DiskQuota, quota, "a size such as 20g");
        }

        if (labels.Find(SnapshotLabels.FileSystem) is { } fileSystem)
        {
            _ = Devices.FileSystemSpec.Parse(fileSystem);
        }

        AbsolutePath(labels, SnapshotLabels.RecordTracePath);
        AbsolutePath(labels, SnapshotLabels.UpperDirectory);
    }

    private static void AbsolutePath(Dictionary<string, string> labels, string name)
    {
        if (labels.Find(name) is not { } path)
        {
            return;
        }

        bool isClean = path.Length <= MaxPathLength && path[0] == '/' && !path.AsSpan().ContainsAnyInRange('\0', '\u001f')
            && !path.Split('/').Contains("..");
        if (!isClean)
        {
            throw Malformed(name, path, "an absolute path without '..'");
        }
    }

    private static SnapshotException Malformed(string label, string value, string expected) =>
        SnapshotException.Invalid($"label {label} is '{SnapshotException.Printable(value)}', not {expected}");
}
