// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>The directory of CNI's plugins.</summary>
internal sealed class CniPlugins
{
    private const string DebianDirectory = "/usr/lib/cni";

    private CniPlugins(string directory) => Directory = directory;

    public string Directory { get; }

    public string PathOf(string plugin) => Path.Combine(Directory, plugin);

    /// <exception cref="CommandException">One of the plugins is missing.</exception>
    public static CniPlugins Locate(string directory, params string[] names)
    {
        CniPlugins plugins = new(Path.GetFullPath(directory));
        string? missing = Array.Find(names, name => !File.Exists(plugins.PathOf(name)));
        return missing is null
            ? plugins
            : throw new CommandException(
                $"There is no network plugin {plugins.PathOf(missing)}.",
                "install containernetworking-plugins and name its directory with --cni-plugin-dir "
                    + $"(Debian: {DebianDirectory}), or --disable-network-isolation.");
    }
}
