// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A file system of a disk, mounted on a directory of its own until it is disposed.</summary>
internal sealed class FileSystem : IAsyncDisposable
{
    private bool _mounted = true;

    private FileSystem(string path) => Path = path;

    public string Path { get; }

    public static async Task<FileSystem> MountAsync(string disk, string options = "defaults")
    {
        string path = Directory.CreateTempSubdirectory("mount-").FullName;
        await Shell.RunAsync("mount", "-o", options, disk, path);
        return new FileSystem(path);
    }

    public async Task UnmountAsync()
    {
        await Shell.RunAsync("umount", Path);
        _mounted = false;
        Directory.Delete(Path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted)
        {
            await Shell.TryRunAsync("umount", "--lazy", Path);
        }
    }
}
