// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Mounting;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>A directory of its own for one test, removed with everything in it and mounted on it.</summary>
internal sealed class MountedDirectory : IDisposable
{
    private readonly TempDirectory _directory = new();

    public string Path => _directory.Path;

    public string this[string name] => _directory[name];

    /// <summary>Mounts what a snapshotter answered, as containerd does.</summary>
    public async Task<string> MountAsync(IReadOnlyList<SnapshotMount> mounts, string name)
    {
        string target = this[name];
        Directory.CreateDirectory(target);
        SnapshotMount mount = Assert.Single(mounts);
        bool isBind = mount.Type == "bind";
        await Shell.RunAsync(
            "mount", [.. isBind ? Array.Empty<string>() : ["-t", mount.Type], "-o", string.Join(',', mount.Options), mount.Source, target]);
        if (isBind && mount.Options.Contains("ro"))
        {
            await Shell.RunAsync("mount", "-o", "remount,bind,ro", target);
        }

        return target;
    }

    public async Task UnmountAsync(string name) => await Shell.RunAsync("umount", this[name]);

    /// <summary>The mounts in this directory.</summary>
    public string[] Mounts() => [.. MountTable.Read().Under(Path).Select(mount => mount.MountPoint)];

    public void Dispose()
    {
        BlockMount.UnmountUnder(Path);
        _directory.Dispose();
    }
}
