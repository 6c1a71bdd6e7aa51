// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Config;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.ZFile;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Layout;

namespace OverlayBd.Snapshotter.Storage;

/// <summary>The two files of a snapshot's writable block layer: made empty, and turned into a layer at its commit.</summary>
internal static class WritableLayer
{
    private const long Gibibyte = 1L << 30;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Makes the pair, unless it is there already.</summary>
    /// <param name="upper">Where the files go.</param>
    /// <param name="kind">How they are stored.</param>
    /// <param name="sizeInGiB">The size of the disk; 0 for that of the layers below, which whoever opens it knows.</param>
    /// <param name="cancellationToken">Abandons it.</param>
    public static async Task CreateAsync(UpperConfig upper, WritableLayerKind kind, int sizeInGiB, CancellationToken cancellationToken)
    {
        bool hasData = File.Exists(upper.Data);
        if (hasData && File.Exists(upper.Index))
        {
            return;
        }

        if (hasData || File.Exists(upper.Index))
        {
            throw SnapshotException.Precondition($"of {upper.Data} and {upper.Index} only one exists");
        }

        LsmtWritableOptions options = new()
        {
            VirtualSize = sizeInGiB * Gibibyte,
            SparseFiles = kind == WritableLayerKind.Sparse ? SparseFileCalls.Instance : null,
        };
        LsmtWritableImage image = await LsmtWritableImage.CreateAsync(upper.Data!, upper.Index!, options, lower: null, cancellationToken)
            .ConfigureAwait(false);
        await image.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Turns the pair into a layer file of the snapshot. Nobody has the pair open. Repeating it after a crash is fine.</summary>
    /// <exception cref="SnapshotException">There is neither a pair nor the layer that it became.</exception>
    public static async Task CommitAsync(
        SnapshotDirectory directory, UpperConfig upper, CommitFormat format, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!File.Exists(upper.Data))
        {
            _ = StorageProbe.FindLayerFile(directory)
                ?? throw SnapshotException.Precondition($"the writable layer {upper.Data} does not exist");
            return;
        }

        if (await IsSealedAsync(upper.Data, cancellationToken).ConfigureAwait(false))
        {
            Publish(upper, directory.SealedFile);
            return;
        }

        LsmtWritableImage image = await OpenAsync(upper, time, cancellationToken).ConfigureAwait(false);
        await using (image.ConfigureAwait(false))
        {
            // Without a copy only a log-structured layer can be sealed.
            if (format == CommitFormat.Sealed && !image.IsSparse)
            {
                await image.SealAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await CopyAsync(image, directory, format, cancellationToken).ConfigureAwait(false);
            }
        }

        if (File.Exists(directory.CommitFile))
        {
            File.Delete(upper.Data);
            File.Delete(upper.Index!);
        }
        else
        {
            Publish(upper, directory.SealedFile);
        }
    }

    /// <summary>Whether a commit has made a layer of the pair, which nobody may write any more. Nobody has the pair open.</summary>
    public static async Task<bool> IsFinalAsync(UpperConfig upper, CancellationToken cancellationToken) =>
        !File.Exists(upper.Data) || await IsSealedAsync(upper.Data, cancellationToken).ConfigureAwait(false);

    /// <summary>Opens the pair. A backstore may let go of it a moment after its device went.</summary>
    private static async Task<LsmtWritableImage> OpenAsync(UpperConfig upper, TimeProvider time, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await LsmtWritableImage.OpenAsync(
                    upper.Data!, upper.Index!, lower: null, SparseFileCalls.Instance, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException e) when (e.HResult == KernelError.EAGAIN && time.GetElapsedTime(start) < s_patience)
            {
                await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task CopyAsync(LsmtWritableImage image, SnapshotDirectory directory, CommitFormat format, CancellationToken cancellationToken)
    {
        string temporary = directory.CommitFile + ".new";
        FileStream file = new(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1 << 20);
        await using (file.ConfigureAwait(false))
        {
            if (format == CommitFormat.ZFile)
            {
                ZFileWriter writer = new(file, new() { Workers = Math.Min(4, Environment.ProcessorCount) }, leaveOpen: true);
                await using (writer.ConfigureAwait(false))
                {
                    await image.CommitAsync(writer, new(), cancellationToken).ConfigureAwait(false);
                    await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            else
            {
                await image.CommitAsync(file, new(), cancellationToken).ConfigureAwait(false);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, directory.CommitFile, overwrite: true);
    }

    /// <summary>Whether a commit before this one got as far as sealing the data file.</summary>
    private static async Task<bool> IsSealedAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            LayerBlob blob = await LayerBlob.OpenAsync(FileBlockSource.Open(path), path, cancellationToken).ConfigureAwait(false);
            await blob.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static void Publish(UpperConfig upper, string path)
    {
        File.Move(upper.Data!, path, overwrite: true);
        File.Delete(upper.Index!);
    }
}
