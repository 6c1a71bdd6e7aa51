// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests.Infrastructure;

/// <summary>A file system mounted on a directory of its own; unmounted by force if a test leaves it so.</summary>
internal sealed class MountedFileSystem : IAsyncDisposable
{
    private bool _mounted;

    private MountedFileSystem(string path) => Path = path;

    public string Path { get; }

    public static async Task<MountedFileSystem> MountAsync(string device, string path, params string[] options)
    {
        Directory.CreateDirectory(path);
        await Shell.RunAsync("mount", [.. options, device, path]);
        return new MountedFileSystem(path) { _mounted = true };
    }

    public async Task UnmountAsync()
    {
        await Shell.RunAsync("umount", Path);
        _mounted = false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_mounted)
        {
            _mounted = false;
            await BlockingCall.RunAsync(() => LinuxCalls.Unmount(Path, LibC.MNT_DETACH));
        }
    }
}
