// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using OverlayBd.Format;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Images.Downloading;

/// <summary>One try to download one layer: fills the holes of <c>.download</c>, and makes it <c>overlaybd.commit</c> when its digest is
/// right.</summary>
internal sealed class LayerDownload(
    DownloadTarget target,
    int blockSize,
    RateLimiter limiter,
    DownloadCounters counters,
    IBlockOperationObserver? observer,
    TimeProvider time)
{
    /// <summary>Downloads what is missing.</summary>
    /// <param name="keepStored">Whether what an earlier try stored is kept; it is checked with all the rest.</param>
    /// <param name="cancellationToken">Abandons the try; what it stored stays.</param>
    /// <returns>False when somebody else is downloading the same layer.</returns>
    /// <exception cref="InvalidDataException">The bytes are not those of the digest.</exception>
    /// <exception cref="IOException">The layer cannot be fetched or stored.</exception>
    public async Task<bool> RunAsync(bool keepStored, CancellationToken cancellationToken)
    {
        // The sharing mode is a lock on the file (flock), for other images of this process as for other processes.
        if (!TryOpen(out SafeFileHandle? file))
        {
            return false;
        }

        using (file)
        {
            // Whoever held it may have finished the layer and given the file its name.
            if (File.Exists(target.CommitPath))
            {
                return true;
            }

            RandomAccess.SetLength(file, keepStored ? target.Blob.Size : 0);
            RandomAccess.SetLength(file, target.Blob.Size);
            BlockSource source = await target.Repository.OpenBlobSourceAsync(target.Blob, cancellationToken).ConfigureAwait(false);
            await using (source.ConfigureAwait(false))
            {
                await FillAsync(file, source, cancellationToken).ConfigureAwait(false);
            }

            RandomAccess.FlushToDisk(file);
            DurableFile.Publish(target.DownloadPath, target.CommitPath);
            return true;
        }
    }

    private bool TryOpen([NotNullWhen(true)] out SafeFileHandle? file)
    {
        const int EWOULDBLOCK = 11;
        try
        {
            file = File.OpenHandle(target.DownloadPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException e) when (e.HResult == EWOULDBLOCK)
        {
            file = null;
            return false;
        }
    }

    private async Task FillAsync(SafeFileHandle file, BlockSource source, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[blockSize];
        string name = source.ToString() ?? target.Name;
        using IncrementalHash hash = target.Blob.Digest.CreateHash();
        long storedStart = 0;
        long storedEnd = 0;
        for (long offset = 0; offset < source.Length; offset += blockSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Memory<byte> block = buffer.AsMemory(0, (int)Math.Min(blockSize, source.Length - offset));
            if (storedEnd <= offset && storedEnd >= 0 && !Interop.TryFindData(file, offset, out storedStart, out storedEnd))
            {
                // Nothing of what follows is stored, except by us.
                storedEnd = -1;
            }

            if (storedStart <= offset && offset + block.Length <= storedEnd)
            {
                await ReadStoredAsync(file, offset, block, cancellationToken).ConfigureAwait(false);
                counters.Resumed(block.Length);
            }
            else
            {
                await limiter.TakeAsync(block.Length, cancellationToken).ConfigureAwait(false);
                long started = time.GetTimestamp();
                await source.ReadAsync(offset, block, cancellationToken).ConfigureAwait(false);
                observer?.OnCompleted(BlockOperation.Download, name, offset, block.Length, time.GetElapsedTime(started));
                await RandomAccess.WriteAsync(file, block, offset, cancellationToken).ConfigureAwait(false);
                counters.Downloaded(block.Length);
            }

            hash.AppendData(block.Span);
        }

        byte[] found = hash.GetHashAndReset();
        if (!target.Blob.Digest.MatchesHash(found))
        {
            throw new InvalidDataException(
                $"Layer {target.Name}: what was downloaded is not that of its digest: expected {target.Blob.Digest}, "
                + $"found {target.Blob.Digest.Algorithm}:{Convert.ToHexStringLower(found)}.");
        }
    }

    private static async ValueTask ReadStoredAsync(
        SafeFileHandle file, long offset, Memory<byte> block, CancellationToken cancellationToken)
    {
        while (!block.IsEmpty)
        {
            int read = await RandomAccess.ReadAsync(file, block, offset, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new EndOfStreamException($"The download became shorter while it was read, at byte {offset}.");
            }

            block = block[read..];
            offset += read;
        }
    }
}
