// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.EndToEnd.Tests;

/// <summary>The programs of the repository as they were built together with the tests.</summary>
internal static class Programs
{
    /// <summary>The folder with one folder for each built project.</summary>
    private static string Built => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));

    private static string Configuration => Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    /// <summary>The command line program.</summary>
    public static string OverlayBd => Path.Combine(FolderOf("overlaybd"), "overlaybd");

    /// <summary>The root of the sources.</summary>
    public static string Repository => Path.GetFullPath(Path.Combine(Built, "..", ".."));

    /// <summary>Puts all programs into one folder, as they are published.</summary>
    public static void Publish(string directory)
    {
        foreach (string folder in new[] { FolderOf("overlaybd-backstore"), FolderOf("overlaybd") })
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(directory, Path.GetRelativePath(folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target, overwrite: true);
            }
        }
    }

    private static string FolderOf(string project) => Path.Combine(Built, project, Configuration);
}
