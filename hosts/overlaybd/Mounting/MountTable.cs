// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Cli.Mounting;

/// <summary>What is mounted where, as this process sees it (proc(5), mountinfo).</summary>
internal static class MountTable
{
    private const int TargetField = 4;

    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadLines("/proc/self/mountinfo"));

    public static IReadOnlyList<MountEntry> Parse(IEnumerable<string> lines)
    {
        List<MountEntry> entries = [];
        foreach (string line in lines)
        {
            // id parent major:minor root TARGET options [optional fields…] - TYPE SOURCE options
            string[] halves = line.Split(" - ", 2);
            string[] before = halves[0].Split(' ');
            string[] after = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (before.Length > TargetField && after.Length >= 2)
            {
                entries.Add(new(Unescape(before[TargetField]), after[0], Unescape(after[1])));
            }
        }

        return entries;
    }

    /// <summary>The mounts on a directory or below it, those that were made last first: the order to unmount them in.</summary>
    public static IEnumerable<MountEntry> Under(string directory)
    {
        string prefix = directory.TrimEnd('/') + '/';
        return Read().Where(entry => entry.Target == directory || entry.Target.StartsWith(prefix, StringComparison.Ordinal)).Reverse();
    }

    /// <summary>Space, tab, newline and backslash stand in the table as three octal digits.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        StringBuilder text = new();
        for (int i = 0; i < field.Length; i++)
        {
            bool isEscape = field[i] == '\\' && i + 3 < field.Length;
            text.Append(isEscape ? (char)Convert.ToInt32(field.Substring(i + 1, 3), 8) : field[i]);
            i += isEscape ? 3 : 0;
        }

        return text.ToString();
    }
}
