// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Mounting;

/// <summary>The options that this kernel's overlayfs wants, in front of the directories.</summary>
internal static class OverlayFeatures
{
    private const string EveryId = "4294967295";

    /// <summary>Finds out, once per start.</summary>
    /// <param name="moduleParameters">Where the kernel shows the parameters of its overlayfs.</param>
    /// <param name="userMap">The user namespace's map of ids.</param>
    public static IReadOnlyList<string> Detect(
        string moduleParameters = "/sys/module/overlay/parameters", string userMap = "/proc/self/uid_map")
    {
        List<string> options = [];
        if (File.Exists(Path.Combine(moduleParameters, "index")))
        {
            // With an index, a lower directory that was moved or copied is refused, and so is sharing one between overlays.
            options.Add("index=off");
        }

        if (IsInUserNamespace(userMap))
        {
            // trusted.* attributes are not to be had there; Linux 5.11 takes user.* instead.
            options.Add("userxattr");
        }

        return options;
    }

    private static bool IsInUserNamespace(string userMap)
    {
        if (!File.Exists(userMap))
        {
            return false;
        }

        string[] fields = File.ReadAllText(userMap).Split((char[])[' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return fields is not ["0", "0", EveryId];
    }
}
