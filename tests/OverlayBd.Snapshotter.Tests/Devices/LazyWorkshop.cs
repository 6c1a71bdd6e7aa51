// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Tests.Infrastructure;

namespace OverlayBd.Snapshotter.Tests.Devices;

/// <summary>The library, the backstore and a registry, in one directory.</summary>
internal sealed class LazyWorkshop : IAsyncDisposable
{
    private readonly RunnableImage _image;
    private readonly OverlayBdSnapshotterOptions _options;
    private readonly BackstoreAttacher _attacher;

    private LazyWorkshop(RunnableImage image, MountedDirectory directory, BackstoreDaemon backstore, OverlayBdSnapshotterOptions options)
    {
        _image = image;
        Directory = directory;
        Backstore = backstore;
        _options = options;
        _attacher = new(backstore.Socket);
    }

    public MountedDirectory Directory { get; }

    public BackstoreDaemon Backstore { get; private set; }

    public OverlayBdSnapshotter Snapshotter { get; private set; } = null!;

    public static async Task<LazyWorkshop> OpenAsync(RunnableImage image, Action<OverlayBdSnapshotterOptions>? configure = null)
    {
        MountedDirectory directory = new();
        OverlayBdSnapshotterOptions options = new()
        {
            Root = directory["root"],
            Registries = [new(image.Registry.Host, Insecure: true)],
            BusyTimeout = TimeSpan.FromSeconds(1),
        };
        configure?.Invoke(options);
        LazyWorkshop workshop = new(image, directory, await BackstoreDaemon.StartAsync(directory.Path), options);
        workshop.Snapshotter = await OverlayBdSnapshotter.OpenAsync(options, workshop._attacher);
        return workshop;
    }

    /// <summary>Does to every layer what a lazy pull does.</summary>
    public async Task PullAsync(string client = "client")
    {
        string parent = "";
        for (int i = 0; i < _image.Converted.Layers.Count; i++)
        {
            string target = _image.ChainId(i);
            Assert.Equal(
                SnapshotError.AlreadyExists, await FailureAsync(Snapshotter.PrepareAsync($"{client}-extract-{i} {target}", parent, _image.LabelsOf(i))));
            Assert.Equal(target, (await Snapshotter.StatAsync(target)).Name);
            parent = target;
        }
    }

    public async Task<SnapshotError?> FailureAsync(Task operation) => (await Assert.ThrowsAsync<SnapshotException>(() => operation)).Error;

    /// <summary>Ends everything, unmounts everything, and starts everything.</summary>
    public async Task RebootAsync()
    {
        await Snapshotter.DisposeAsync();
        Mounting.BlockMount.UnmountUnder(Directory.Path);
        await RestartBackstoreAsync();
        Snapshotter = await OverlayBdSnapshotter.OpenAsync(_options, _attacher);
    }

    public async Task RestartBackstoreAsync()
    {
        await Backstore.CrashAsync();
        await Backstore.DisposeAsync();
        Backstore = await BackstoreDaemon.StartAsync(Directory.Path);
    }

    public async ValueTask DisposeAsync()
    {
        Mounting.BlockMount.UnmountUnder(Directory.Path);
        await Snapshotter.DisposeAsync();
        await Backstore.DisposeAsync();
        _attacher.Dispose();
        Directory.Dispose();
    }
}
