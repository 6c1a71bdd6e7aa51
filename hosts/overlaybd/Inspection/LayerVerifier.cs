// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.Terminal;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Inspection;

/// <summary>Checks one layer: the digest of the blob, then every block in it.</summary>
internal static class LayerVerifier
{
    private const int ChunkSize = 1 << 20;

    /// <summary>Fetches the blob once, into a temporary file, so that both checks see the same bytes.</summary>
    /// <exception cref="InvalidDataException">The digest or a block is not what it should be.</exception>
    public static async Task VerifyAsync(
        ImageRepository repository, Descriptor layer, ProgressDisplay display, CancellationToken cancellationToken)
    {
        string name = NameOf(layer);
        string file = Path.GetTempFileName();
        try
        {
            await FetchAsync(repository, layer, name, file, display, cancellationToken);
            if (layer.Annotations?.ContainsKey(OverlayBdAnnotations.BlobDigest) == true)
            {
                await VerifyAsync(FileBlockSource.Open(file), name, display, cancellationToken);
            }
            else
            {
                display.Finish(name, "digest as expected");
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <param name="source">The stored layer; owned.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="display">Where progress is shown.</param>
    /// <param name="cancellationToken">Abandons the check.</param>
    public static async Task VerifyAsync(BlockSource source, string name, ProgressDisplay display, CancellationToken cancellationToken)
    {
        await using LayerBlob blob = await LayerBlob.OpenAsync(source, name, cancellationToken);
        if (blob.ZFile is { } zfile)
        {
            Progress progress = new(done => display.Report(name, done, zfile.Length, "checking blocks"));
            await zfile.VerifyAsync(progress, cancellationToken);
            display.Finish(name, $"{zfile.BlockCount} blocks as expected");
        }
        else
        {
            await ReadAllAsync(blob.Layer.Source, cancellationToken);
            display.Finish(name, "header and index as expected; without compression there are no block checksums");
        }
    }

    private static async Task FetchAsync(
        ImageRepository repository, Descriptor layer, string name, string file, ProgressDisplay display, CancellationToken cancellationToken)
    {
        await using Stream blob = await repository.OpenBlobAsync(layer, cancellationToken);
        await using FileStream copy = File.Create(file);
        byte[] chunk = new byte[ChunkSize];
        int count;
        while ((count = await blob.ReadAsync(chunk, cancellationToken)) > 0)
        {
            await copy.WriteAsync(chunk.AsMemory(0, count), cancellationToken);
            display.Report(name, copy.Position, layer.Size, "fetching");
        }
    }

    private static async Task ReadAllAsync(BlockSource source, CancellationToken cancellationToken)
    {
        byte[] chunk = new byte[ChunkSize];
        for (long offset = 0; offset < source.Length; offset += ChunkSize)
        {
            await source.ReadAsync(offset, chunk.AsMemory(0, (int)Math.Min(ChunkSize, source.Length - offset)), cancellationToken);
        }
    }

    private static string NameOf(Descriptor layer) => layer.Digest.Algorithm + ":" + layer.Digest.Hex[..12];

    /// <summary>Reports on the thread it is told on, in order.</summary>
    private sealed class Progress(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }
}
