// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>Reads a range that is scattered over files.</summary>
internal static class LsmtSegmentReader
{
    /// <summary>Fills <paramref name="buffer"/>. Completes at once, without allocating, when every file does.</summary>
    public static ValueTask ReadAsync<T>(T segments, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        where T : class, ILsmtSegments
    {
        long end = offset + buffer.Length;
        while (!buffer.IsEmpty)
        {
            LsmtSegment segment = segments.Find(offset, end);
            Memory<byte> part = buffer[..(int)segment.Length];
            offset += segment.Length;
            buffer = buffer[part.Length..];
            if (segment.Source is null)
            {
                part.Span.Clear();
                continue;
            }

            ValueTask read = segment.Source.ReadAsync(segment.SourceOffset, part, cancellationToken);
            if (buffer.IsEmpty)
            {
                return read;
            }

            if (!read.IsCompletedSuccessfully)
            {
                return FinishAsync(read, segments, offset, buffer, cancellationToken);
            }

            read.GetAwaiter().GetResult();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Brings the files' parts of a range near, as far as the files can.</summary>
    public static async ValueTask PrefetchAsync<T>(T segments, long offset, long length, CancellationToken cancellationToken)
        where T : class, ILsmtSegments
    {
        long end = offset + length;
        LsmtPendingReads pending = new();
        try
        {
            bool go = true;
            while (go && offset < end)
            {
                cancellationToken.ThrowIfCancellationRequested();
                LsmtSegment segment = segments.Find(offset, end);
                offset += segment.Length;
                if (segment.Source is IPrefetchable source)
                {
                    go = await pending.AddAsync(source.PrefetchAsync(segment.SourceOffset, segment.Length, cancellationToken))
                        .ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await pending.WaitAllAsync().ConfigureAwait(false);
        }
    }

    private static async ValueTask FinishAsync<T>(
        ValueTask first, T segments, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        where T : class, ILsmtSegments
    {
        long end = offset + buffer.Length;
        LsmtPendingReads pending = new();
        try
        {
            bool go = await pending.AddAsync(first).ConfigureAwait(false);
            while (go && !buffer.IsEmpty)
            {
                LsmtSegment segment = segments.Find(offset, end);
                Memory<byte> part = buffer[..(int)segment.Length];
                offset += segment.Length;
                buffer = buffer[part.Length..];
                if (segment.Source is null)
                {
                    part.Span.Clear();
                }
                else
                {
                    go = await pending.AddAsync(segment.Source.ReadAsync(segment.SourceOffset, part, cancellationToken))
                        .ConfigureAwait(false);
                }
            }
        }
        finally
        {
            await pending.WaitAllAsync().ConfigureAwait(false);
        }
    }
}
