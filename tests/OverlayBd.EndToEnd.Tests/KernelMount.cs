// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.EndToEnd.Tests;

/// <summary>A block device mounted by the kernel, unmounted when disposed.</summary>
internal sealed class KernelMount : IAsyncDisposable
{
    private KernelMount(string path) => Path = path;

    public string Path { get; }

    public static async Task<KernelMount> MountAsync(string device, string path, string options)
    {
        Directory.CreateDirectory(path);
        await Shell.RunAsync("mount", "-t", "ext4", "-o", options, device, path);
        return new KernelMount(path);
    }

    public async ValueTask DisposeAsync() => await Shell.TryRunAsync("umount", Path);
}
