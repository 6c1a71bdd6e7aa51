// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Tests.Devices;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests;

/// <summary>The library on a directory of its own, with loop devices.</summary>
internal sealed class SnapshotterWorkshop : IAsyncDisposable
{
    private readonly OverlayBdSnapshotterOptions _options;

    private SnapshotterWorkshop(MountedDirectory directory, OverlayBdSnapshotterOptions options)
    {
        Directory = directory;
        _options = options;
        Attacher = new(directory["disk.img"]);
    }

    public MountedDirectory Directory { get; }

    public LoopAttacher Attacher { get; }

    public OverlayBdSnapshotter Snapshotter { get; private set; } = null!;

    public string Root => _options.Root;

    public static async Task<SnapshotterWorkshop> OpenAsync(Action<OverlayBdSnapshotterOptions>? configure = null)
    {
        MountedDirectory directory = new();
        OverlayBdSnapshotterOptions options = new() { Root = directory["root"], BusyTimeout = TimeSpan.FromSeconds(1) };
        configure?.Invoke(options);
        using (FileStream disk = File.Create(directory["disk.img"]))
        {
            disk.SetLength(4 << 20);
        }

        await Shell.RunAsync("mkfs.ext4", "-q", "-F", "-O", "^has_journal", directory["disk.img"]);
        SnapshotterWorkshop workshop = new(directory, options);
        await workshop.ReopenAsync();
        return workshop;
    }

    /// <summary>The labels of a layer that its registry serves.</summary>
    public static Dictionary<string, string> RemoteLabels(string target, char digit = '1') => new()
    {
        ["containerd.io/snapshot.ref"] = target,
        ["containerd.io/snapshot/image-ref"] = "registry.example/team/app:1",
        ["containerd.io/snapshot/overlaybd/blob-digest"] = "sha256:" + new string(digit, 64),
        ["containerd.io/snapshot/overlaybd/blob-size"] = "4096",
    };

    public static async Task<SnapshotError> FailureAsync(Func<Task> operation) =>
        (await Assert.ThrowsAsync<SnapshotException>(operation)).Error;

    /// <summary>Ends the library and starts it again on the same directory.</summary>
    public async Task ReopenAsync()
    {
        if (Snapshotter is not null)
        {
            await Snapshotter.DisposeAsync();
        }

        Snapshotter = await OverlayBdSnapshotter.OpenAsync(_options, Attacher);
    }

    /// <summary>Commits a layer of files with one file in it.</summary>
    public async Task CommitAsync(string name, string parent = "", string file = "file", string content = "content")
    {
        await Snapshotter.PrepareAsync("making " + name, parent);
        await File.WriteAllTextAsync(Path.Combine(DirectoryOf((await LastIdAsync()).ToString(System.Globalization.CultureInfo.InvariantCulture)), "fs", file), content);
        await Snapshotter.CommitAsync(name, "making " + name);
    }

    public async Task ProvideAsync(string name, string parent = "", char digit = '1') => Assert.Equal(
        SnapshotError.AlreadyExists, await FailureAsync(() => Snapshotter.PrepareAsync("pulling " + name, parent, RemoteLabels(name, digit))));

    public string DirectoryOf(string id) => Path.Combine(Root, "snapshots", id);

    public string[] Directories() => [.. System.IO.Directory.EnumerateFileSystemEntries(Path.Combine(Root, "snapshots")).Order()];

    public async ValueTask DisposeAsync()
    {
        Mounting.BlockMount.UnmountUnder(Directory.Path);
        await Snapshotter.DisposeAsync();
        await Attacher.DisposeAsync();
        Directory.Dispose();
    }

    private Task<long> LastIdAsync() => Task.FromResult(Directories().Max(path => long.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture)));
}
