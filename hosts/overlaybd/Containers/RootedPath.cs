// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containers;

/// <summary>Follows a path as a process whose root is a directory would: no symbolic link leads out of it.</summary>
internal static class RootedPath
{
    private const int MostLinks = 40;

    /// <returns>The path on this machine; what it names need not exist.</returns>
    /// <exception cref="IOException">The links of the path lead round in a circle.</exception>
    public static string Resolve(string root, string path)
    {
        List<string> resolved = [];
        Stack<string> open = new(Split(path).Reverse());
        int links = 0;
        while (open.TryPop(out string? name))
        {
            if (name == "..")
            {
                resolved.RemoveRange(Math.Max(0, resolved.Count - 1), Math.Min(1, resolved.Count));
                continue;
            }

            if (new FileInfo(Path.Combine([root, .. resolved, name])).LinkTarget is not { } target)
            {
                resolved.Add(name);
                continue;
            }

            if (++links > MostLinks)
            {
                throw new IOException($"{path} in {root} has more than {MostLinks} symbolic links.");
            }

            if (target.StartsWith('/'))
            {
                resolved.Clear();
            }

            foreach (string part in Split(target).Reverse())
            {
                open.Push(part);
            }
        }

        return Path.Combine([root, .. resolved]);
    }

    private static IEnumerable<string> Split(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".");
}
