// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>Brings layers from a registry into the content store, some at once, none before the first is needed.</summary>
/// <remarks>
/// Once an ordinary layer is needed, the ordinary layers above it will be too and are fetched beside its unpacking. An overlaybd layer is
/// fetched only when the snapshotter did not provide it.
/// </remarks>
internal sealed class LayerDownloads(
    ImageRepository source,
    ImageReference reference,
    ContainerdContent content,
    IReadOnlyList<UnpackLayer> layers,
    ProgressDisplay display) : IAsyncDisposable
{
    private const int AtOnce = 3;

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _slots = new(AtOnce);
    private readonly Task?[] _tasks = new Task?[layers.Count];

    /// <summary>Waits for a layer's blob to be in the content store.</summary>
    public async Task FetchAsync(UnpackLayer layer, CancellationToken cancellationToken)
    {
        _tasks[layer.Position] ??= DownloadAsync(layer);
        foreach (UnpackLayer next in layers.Skip(layer.Position + 1).Where(next => !next.IsOverlayBd))
        {
            _tasks[next.Position] ??= DownloadAsync(next);
        }

        await _tasks[layer.Position]!.WaitAsync(cancellationToken);
    }

    /// <summary>Stops what is still under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks.OfType<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _slots.Dispose();
        _stop.Dispose();
    }

    private async Task DownloadAsync(UnpackLayer layer)
    {
        await _slots.WaitAsync(_stop.Token);
        try
        {
            Descriptor blob = layer.Descriptor;
            Dictionary<string, string> labels = [];
            GcLabels.AddSource(labels, (await content.FindAsync(blob.Digest, _stop.Token))?.Labels, reference);
            string name = $"layer {layer.Position + 1} of {layers.Count}";
            DownloadProgress progress = new(display, name, blob.Size);
            await content.WriteAsync(
                blob, async token => await source.OpenBlobAsync(blob, token), labels, progress, _stop.Token);
        }
        finally
        {
            _slots.Release();
        }
    }

    private sealed class DownloadProgress(ProgressDisplay display, string name, long total) : IProgress<long>
    {
        public void Report(long value) => display.Report(name, value, total, "fetching");
    }
}
