// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Format.Lsmt;

/// <summary>Writes a sealed layer in one forward pass: header, data in logical order, index, trailer.</summary>
internal static class LsmtCommitter
{
    private const int BufferSize = 1024 * 1024;

    /// <summary>Writes the layer.</summary>
    /// <param name="output">Where the layer goes.</param>
    /// <param name="mappings">What the layer holds, in order.</param>
    /// <param name="sources">The files that the mappings' tags stand for.</param>
    /// <param name="header">The header; the trailer is made of it.</param>
    /// <param name="cancellationToken">Abandons the commit.</param>
    /// <exception cref="InvalidOperationException">The layer would have more index records than a reader accepts.</exception>
    public static async Task WriteAsync(
        Stream output,
        ReadOnlyMemory<LsmtMapping> mappings,
        IReadOnlyList<BlockSource> sources,
        LsmtHeader header,
        CancellationToken cancellationToken)
    {
        LsmtIndexBuilder builder = new();
        foreach (LsmtMapping mapping in mappings.Span)
        {
            builder.Add(mapping);
        }

        LsmtMapping[] records = builder.Build();
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferSize);
        await WriteHeaderAsync(output, header, buffer, cancellationToken).ConfigureAwait(false);
        await WriteDataAsync(output, mappings, sources, buffer, cancellationToken).ConfigureAwait(false);
        await WriteIndexAsync(output, records, buffer, cancellationToken).ConfigureAwait(false);
        LsmtHeader trailer = header with
        {
            Flags = header.Flags & ~LsmtHeaderFlags.Header,
            IndexOffset = (ulong)builder.DataEnd * LsmtConstants.SectorSize,
            IndexSize = (ulong)records.Length,
        };
        await WriteHeaderAsync(output, trailer, buffer, cancellationToken).ConfigureAwait(false);
    }

    private static ValueTask WriteHeaderAsync(Stream output, LsmtHeader header, byte[] buffer, CancellationToken cancellationToken)
    {
        header.WriteTo(buffer.AsSpan(0, LsmtConstants.HeaderSpace));
        return output.WriteAsync(buffer.AsMemory(0, LsmtConstants.HeaderSpace), cancellationToken);
    }

    private static async ValueTask WriteDataAsync(
        Stream output,
        ReadOnlyMemory<LsmtMapping> mappings,
        IReadOnlyList<BlockSource> sources,
        byte[] buffer,
        CancellationToken cancellationToken)
    {
        int next = 0;
        long done = 0;
        while (next < mappings.Length)
        {
            int filled = 0;
            LsmtPendingReads pending = new();
            try
            {
                bool go = true;
                while (go && next < mappings.Length && filled < buffer.Length)
                {
                    LsmtMapping mapping = mappings.Span[next];
                    long length = mapping.IsZeroed ? 0 : ((long)mapping.Length * LsmtConstants.SectorSize) - done;
                    int count = (int)Math.Min(length, buffer.Length - filled);
                    if (count > 0)
                    {
                        long position = (mapping.MappedOffset * LsmtConstants.SectorSize) + done;
                        Memory<byte> part = buffer.AsMemory(filled, count);
                        go = await pending.AddAsync(sources[mapping.Tag].ReadAsync(position, part, cancellationToken))
                            .ConfigureAwait(false);
                    }

                    filled += count;
                    done += count;
                    if (count == length)
                    {
                        next++;
                        done = 0;
                    }
                }
            }
            finally
            {
                await pending.WaitAllAsync().ConfigureAwait(false);
            }

            await output.WriteAsync(buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async ValueTask WriteIndexAsync(
        Stream output, ReadOnlyMemory<LsmtMapping> records, byte[] buffer, CancellationToken cancellationToken)
    {
        while (!records.IsEmpty)
        {
            ReadOnlyMemory<LsmtMapping> part = records[..Math.Min(records.Length, buffer.Length / LsmtMapping.Size)];
            MemoryMarshal.AsBytes(part.Span).CopyTo(buffer);
            await output.WriteAsync(buffer.AsMemory(0, part.Length * LsmtMapping.Size), cancellationToken).ConfigureAwait(false);
            records = records[part.Length..];
        }
    }
}
