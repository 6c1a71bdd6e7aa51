// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.Trace;

/// <summary>Reads trace files: what was read of an image's layers in an earlier run, in that order.</summary>
public static class TraceReader
{
    /// <summary>The most records of a trace that are read.</summary>
    /// <remarks>The original has no limit; a container's start takes some thousands.</remarks>
    public const int MaxRecords = 4 * 1024 * 1024;

    private const int BatchRecords = 2048;

    /// <summary>Tells whether bytes begin as a trace does.</summary>
    /// <param name="start">The first bytes of a file, at least 4 to be recognised.</param>
    /// <returns>Whether the magic number is there.</returns>
    public static bool IsTrace(ReadOnlySpan<byte> start) =>
        start.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(start) == TraceHeader.Magic;

    /// <summary>Reads a trace whole, and checks it before anything of it is handed out.</summary>
    /// <param name="trace">The trace, from its current position on. Not disposed.</param>
    /// <param name="length">The length of the trace, in bytes.</param>
    /// <param name="name">What messages call it, such as its path.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>The records, in the order they were recorded.</returns>
    /// <exception cref="InvalidDataException">The bytes are no trace, or a damaged one; the message says what is wrong and
    /// where.</exception>
    /// <exception cref="EndOfStreamException">The stream ends before <paramref name="length"/>.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The read was abandoned.</exception>
    public static async Task<IReadOnlyList<TraceRecord>> ReadAsync(
        Stream trace, long length, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (length < TraceHeader.Size)
        {
            TraceThrowHelper.ThrowTooShort(name, length);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BatchRecords * TraceRecord.Size);
        try
        {
            await trace.ReadExactlyAsync(buffer.AsMemory(0, TraceHeader.Size), cancellationToken).ConfigureAwait(false);
            TraceHeader header = TraceHeader.Parse(buffer.AsSpan(0, TraceHeader.Size), name, length);
            return await ReadRecordsAsync(trace, header, buffer, name, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a trace from its file.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>The records, in the order they were recorded.</returns>
    /// <exception cref="InvalidDataException">The file is no trace, or a damaged one; the message says what is wrong and where.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="OperationCanceledException">The read was abandoned.</exception>
    public static async Task<IReadOnlyList<TraceRecord>> LoadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        await using (file.ConfigureAwait(false))
        {
            return await ReadAsync(file, file.Length, path, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<TraceRecord[]> ReadRecordsAsync(
        Stream trace, TraceHeader header, byte[] buffer, string name, CancellationToken cancellationToken)
    {
        long count = header.DataLength / TraceRecord.Size;
        if (count > MaxRecords)
        {
            TraceThrowHelper.ThrowTooManyRecords(name, count);
        }

        // The header says how many there are, and so does the length: an array of that size is no gift to a liar.
        TraceRecord[] records = new TraceRecord[count];
        uint checksum = 0;
        for (int first = 0; first < records.Length; first += BatchRecords)
        {
            int batch = Math.Min(BatchRecords, records.Length - first);
            Memory<byte> bytes = buffer.AsMemory(0, batch * TraceRecord.Size);
            await trace.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            checksum = Crc32C.Append(checksum, bytes.Span);
            for (int i = 0; i < batch; i++)
            {
                long position = TraceHeader.Size + ((long)(first + i) * TraceRecord.Size);
                records[first + i] = TraceRecord.Parse(bytes.Span[(i * TraceRecord.Size)..], name, position);
            }
        }

        if (checksum != header.Checksum)
        {
            TraceThrowHelper.ThrowChecksum(name, header.Checksum, checksum);
        }

        return records;
    }
}
