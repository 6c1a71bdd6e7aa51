// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Images;

/// <content>Changing an image while it is in use.</content>
public sealed partial class OverlayBdImage
{
    private readonly SemaphoreSlim _snapshots = new(1, 1);

    /// <summary>Takes a snapshot of a writable image in use: what has been written becomes a sealed layer, and writes go on in the new
    /// config's upper.</summary>
    /// <param name="newConfig">The config of the image from now on: its lowers are those of the image and the present upper's data
    /// file; its upper is an empty one that exists, of the image's size or of none.</param>
    /// <param name="publish">Makes <paramref name="newConfig"/> durably the one that is opened after a crash; it runs while writes wait.
    /// When it fails the snapshot is undone. <see langword="null"/> when nobody opens the image by a config.</param>
    /// <param name="cancellationToken">Abandons the snapshot before anything has changed.</param>
    /// <returns>A task that completes when writes go to the new upper. None was lost, and none waited longer than sealing took.</returns>
    /// <exception cref="InvalidDataException">The config does not continue this image, or its upper is damaged.</exception>
    /// <exception cref="ArgumentException">The new upper is not empty, or of another size.</exception>
    /// <exception cref="InvalidOperationException">The image is read-only, or has too many layers or mappings.</exception>
    /// <exception cref="IOException">A file cannot be opened or written; the image goes on as before.</exception>
    /// <exception cref="UnauthorizedAccessException">A file of the new upper may not be read and written.</exception>
    /// <exception cref="OperationCanceledException">The snapshot was abandoned.</exception>
    public async Task SnapshotAsync(
        DeviceConfig newConfig, Func<CancellationToken, ValueTask>? publish = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newConfig);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        LsmtWritableImage upper = Upper ?? throw new InvalidOperationException($"{_name} is read-only.");
        await _snapshots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            SnapshotConfig.Check(newConfig, upper, upper.Lower?.Layers.Count ?? 0);
            string sealedPath = upper.DataPath;
            LsmtWritableImage next = await LsmtWritableImage.OpenAsync(
                newConfig.Upper.Data!, newConfig.Upper.Index!, lower: null, SparseFiles.Instance, cancellationToken).ConfigureAwait(false);
            try
            {
                await upper.SnapshotAsync(next, publish, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await next.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            ImageLog.SnapshotTaken(_logger, _name, sealedPath, upper.DataPath);
            await AddLayerAsync(sealedPath).ConfigureAwait(false);
        }
        finally
        {
            _snapshots.Release();
        }
    }

    /// <summary>Takes a snapshot, see the other overload, and moves the new config's file in place of the present one's.</summary>
    /// <param name="newConfigPath">The path of the new config; it moves on success.</param>
    /// <param name="configPath">The path of the present config, on the same file system.</param>
    /// <param name="cancellationToken">Abandons the snapshot before anything has changed.</param>
    /// <returns>A task that completes when writes go to the new upper.</returns>
    /// <exception cref="InvalidDataException">The config does not continue this image, or it or its upper is damaged.</exception>
    /// <exception cref="ArgumentException">The new upper is not empty, or of another size.</exception>
    /// <exception cref="InvalidOperationException">The image is read-only, or has too many layers or mappings.</exception>
    /// <exception cref="IOException">A file cannot be opened, written or moved; the image goes on as before.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be accessed.</exception>
    /// <exception cref="OperationCanceledException">The snapshot was abandoned.</exception>
    public async Task SnapshotAsync(string newConfigPath, string configPath, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(newConfigPath);
        ArgumentException.ThrowIfNullOrEmpty(configPath);
        DeviceConfig config = await DeviceConfig.LoadAsync(newConfigPath, cancellationToken).ConfigureAwait(false);
        await SnapshotAsync(
            config,
            _ =>
            {
                SnapshotConfig.Replace(newConfigPath, configPath, _logger);
                return ValueTask.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes the disk larger, durably; the file system on it, and whoever serves it as a device, have to be told.</summary>
    /// <inheritdoc/>
    public async ValueTask ResizeAsync(long length, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        LsmtWritableImage upper = Upper ?? throw new InvalidOperationException($"{_name} is read-only.");
        await upper.ResizeAsync(length, cancellationToken).ConfigureAwait(false);
        ImageLog.ImageResized(_logger, _name, length);
    }

    /// <summary>Lists a layer that was sealed in place. The upper reads it by itself; this is for whoever asks what there is.</summary>
    private async ValueTask AddLayerAsync(string path)
    {
        string name = $"{path} (layer {Layers.Count})";
        try
        {
            FileBlockSource file = FileBlockSource.Open(path);
            LayerBlob blob = await LayerBlob.OpenAsync(file, name, CancellationToken.None).ConfigureAwait(false);
            Layers = [.. Layers, new ImageLayer(blob, name, digest: null, file.Length, path, cached: null)];
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // The snapshot has been taken; the caller must not believe that the old config still holds.
            ImageLog.SealedLayerNotListed(_logger, e, path);
        }
    }
}
