// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Architecture.Tests;

/// <summary>The working tree that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] s_generated = ["artifacts", "obj", "bin", ".git"];

    public static string Root { get; } = FindRoot();

    public static IEnumerable<ProjectFile> Projects(params string[] folders) =>
        Files("*.csproj", folders).Select(ProjectFile.Load);

    public static IEnumerable<string> Files(string pattern, params string[] folders) =>
        folders.Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Where(file => !s_generated.Intersect(Relative(file).Split('/')).Any())
            .Order(StringComparer.Ordinal);

    public static string Relative(string path) => Path.GetRelativePath(Root, path);

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "OverlayBd.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException("No OverlayBd.sln above " + AppContext.BaseDirectory);
    }
}
