// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.Fuse.Mounting;

/// <summary>One line of <c>/proc/self/mountinfo</c> (Documentation/filesystems/proc.rst, 3.5).</summary>
/// <param name="Major">The major number of the file system's device; 0 for a FUSE mount.</param>
/// <param name="Minor">Its minor number.</param>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystemType">The type, with its subtype: "fuse.overlaybd".</param>
/// <param name="Source">What is mounted.</param>
internal sealed record MountEntry(uint Major, uint Minor, string MountPoint, string FileSystemType, string Source)
{
    /// <summary>Parses a line; null for one that is not as documented.</summary>
    public static MountEntry? TryParse(string line)
    {
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
        if (separator < 0 || separator + 2 >= fields.Length)
        {
            return null;
        }

        string[] device = fields[2].Split(':');
        return device.Length == 2
            && uint.TryParse(device[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(device[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
            ? new MountEntry(major, minor, Unescape(fields[4]), Unescape(fields[separator + 1]), Unescape(fields[separator + 2]))
            : null;
    }

    /// <summary>Undoes the octal escapes of blanks and backslashes.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        byte[] source = Encoding.UTF8.GetBytes(field);
        byte[] bytes = new byte[source.Length];
        int length = 0;
        for (int i = 0; i < source.Length; i++)
        {
            bool escaped = source[i] == '\\' && i + 3 < source.Length
                && source.AsSpan(i + 1, 3).IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0;
            if (escaped)
            {
                bytes[length++] = (byte)((source[i + 1] - '0') * 64 + (source[i + 2] - '0') * 8 + (source[i + 3] - '0'));
                i += 3;
            }
            else
            {
                bytes[length++] = source[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
