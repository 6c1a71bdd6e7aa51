// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Fetches an original layer into a work file; its digest and size are checked on the way.</summary>
internal sealed class LayerFetcher(ImageRepository source, string workDirectory)
{
    private const int ChunkSize = 256 * 1024;

    public async Task<FetchedLayer> FetchAsync(SourceLayer layer, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        string path = Path.Combine(workDirectory, $"{layer.Position:D4}.original");
        Stream blob = await source.OpenBlobAsync(layer.Descriptor, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            await using (file.ConfigureAwait(false))
            {
                byte[] chunk = new byte[ChunkSize];
                long done = 0;
                int read;
                while ((read = await blob.ReadAsync(chunk, cancellationToken).ConfigureAwait(false)) > 0)
                {
                    await file.WriteAsync(chunk.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                    progress?.Report(done += read);
                }
            }
        }

        return new FetchedLayer(layer, path);
    }
}
