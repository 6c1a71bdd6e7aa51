// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Snapshotter.Mounting;

/// <summary>One line of <c>/proc/self/mountinfo</c> (Documentation/filesystems/proc.rst, 3.5).</summary>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystemType">The type.</param>
/// <param name="Source">What is mounted.</param>
/// <param name="SuperOptions">The options of the file system.</param>
internal sealed record MountEntry(string MountPoint, string FileSystemType, string Source, string SuperOptions)
{
    private const int MountPointField = 4;

    /// <summary>Parses a line; null for one that is not as documented.</summary>
    public static MountEntry? TryParse(string line)
    {
        string[] halves = line.Split(" - ", 2);
        string[] before = halves[0].Split(' ');
        string[] after = halves.Length == 2 ? halves[1].Split(' ') : [];
        return before.Length > MountPointField && after.Length >= 2
            ? new(Unescape(before[MountPointField]), after[0], Unescape(after[1]), after.Length > 2 ? Unescape(after[2]) : "")
            : null;
    }

    /// <summary>The directories an overlay is made of, as they were given when it was mounted.</summary>
    public IEnumerable<string> LowerDirectories => FileSystemType != "overlay"
        ? []
        : SuperOptions.Split(',')
            .Where(option => option.StartsWith("lowerdir", StringComparison.Ordinal))
            .SelectMany(option => option[(option.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(':'));

    /// <summary>Undoes the octal escapes of blanks and backslashes.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        byte[] source = Encoding.UTF8.GetBytes(field);
        List<byte> bytes = new(source.Length);
        for (int i = 0; i < source.Length; i++)
        {
            bool isEscape = source[i] == '\\' && i + 3 < source.Length
                && source.AsSpan(i + 1, 3).IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0;
            bytes.Add(isEscape ? (byte)(((source[i + 1] - '0') * 64) + ((source[i + 2] - '0') * 8) + (source[i + 3] - '0')) : source[i]);
            i += isEscape ? 3 : 0;
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
