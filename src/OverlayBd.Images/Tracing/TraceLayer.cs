// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using OverlayBd.Format.Oci;
using OverlayBd.Format.Trace;
using OverlayBd.Registry;

namespace OverlayBd.Images.Tracing;

/// <summary>The acceleration layer of an image in a registry: a tar archive with the one file <c>trace</c>
/// (accelerated-container-image <c>cmd/ctr/record_trace.go</c>).</summary>
internal static class TraceLayer
{
    private const string EntryName = "trace";

    // The longest trace that is read, and what a tar archive adds.
    private const long MaxLength = (24L * TraceReader.MaxRecords) + (64 * 1024);

    /// <summary>Fetches the layer and reads its trace, which is handed out only when the layer is what its digest names.</summary>
    public static async Task<IReadOnlyList<TraceRecord>> ReadAsync(
        ImageRepository repository, Descriptor layer, CancellationToken cancellationToken)
    {
        string name = $"acceleration layer {layer.Digest} of {repository.Name}";
        if (layer.Size > MaxLength)
        {
            throw new InvalidDataException($"The {name} has {layer.Size} bytes; at most {MaxLength} are read.");
        }

        Stream blob = await repository.OpenBlobAsync(layer, cancellationToken).ConfigureAwait(false);
        await using (blob.ConfigureAwait(false))
        {
            var archive = new TarReader(blob);
            await using (archive.ConfigureAwait(false))
            {
                IReadOnlyList<TraceRecord>? records = await FindAsync(archive, name, cancellationToken).ConfigureAwait(false);

                // The read that finds the end of the blob is the one that checks its digest.
                await blob.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
                return records ?? throw new InvalidDataException($"The {name} has no file '{EntryName}'.");
            }
        }
    }

    private static async Task<IReadOnlyList<TraceRecord>?> FindAsync(TarReader archive, string name, CancellationToken cancellationToken)
    {
        while (await archive.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is TarEntry entry)
        {
            if (entry.DataStream is Stream content && entry.Name.AsSpan().TrimStart("./").SequenceEqual(EntryName))
            {
                return await TraceReader.ReadAsync(content, entry.Length, name, cancellationToken).ConfigureAwait(false);
            }
        }

        return null;
    }
}
