// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.ControlApi;

/// <summary>Tells a process from a later one that was given the same number.</summary>
internal static class ProcessIdentity
{
    private const int StartTimeAfterName = 19;

    /// <summary>Reads when a process started, in clock ticks after boot; -1 when there is none with this number.</summary>
    public static long StartOf(int processId)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat");
        try
        {
            // proc(5): field 2 is the name in brackets, which may hold spaces and brackets; field 22 is the start time.
            string stat = File.ReadAllText(path);
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            bool isGone = fields[0] is "Z" or "X";
            return isGone ? -1 : long.Parse(fields[StartTimeAfterName], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    public static bool IsAlive(DeviceRecord record) => StartOf(record.ProcessId) == record.ProcessStart;
}
