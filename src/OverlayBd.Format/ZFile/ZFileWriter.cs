// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using OverlayBd.Format.Compression;

namespace OverlayBd.Format.ZFile;

/// <summary>Compresses what is written to it into a ZFile.</summary>
/// <remarks>
/// <para>Write-only and sequential, for one caller at a time. <see cref="CompleteAsync"/>, or else <see cref="DisposeAsync"/>, writes what
/// remains, the jump table and the trailer. After a failed or cancelled write neither does: the output is then an incomplete file.</para>
/// <para>Memory is bounded by the workers, save for four bytes a block.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1710", Justification = "It stands beside ZFileSource, and is written to like any writer.")]
public sealed class ZFileWriter : Stream
{
    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly bool _overwriteHeader;
    private readonly long _start;
    private readonly BlockCodec _codec;
    private readonly ZFileHeader _firstHeader;
    private readonly ZFileCompressor _compressor;
    private readonly Stack<ZFileBatch> _spares = new();
    private readonly List<uint> _storedLengths = [];
    private ZFileBatch? _batch;
    private State _state;
    private long _length;
    private long _storedLength;

    /// <summary>Makes a writer. Nothing is written yet.</summary>
    /// <param name="output">Where the ZFile goes, from the current position on; owned by the writer unless
    /// <paramref name="leaveOpen"/>.</param>
    /// <param name="options">How to write; copied.</param>
    /// <param name="leaveOpen">Whether disposing the writer leaves the output open.</param>
    /// <exception cref="ArgumentException">The output cannot be written, or cannot seek although the header is to be overwritten, or an
    /// option is out of its range.</exception>
    public ZFileWriter(Stream output, ZFileWriterOptions options, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (!output.CanWrite)
        {
            throw new ArgumentException("The output cannot be written.", nameof(output));
        }

        if (options.OverwriteHeader && !output.CanSeek)
        {
            throw new ArgumentException("The header can only be overwritten in an output that can seek.", nameof(output));
        }

        _output = output;
        _leaveOpen = leaveOpen;
        _overwriteHeader = options.OverwriteHeader;
        _start = _overwriteHeader ? output.Position : 0;
        _codec = BlockCodec.For(options.Algorithm);
        _compressor = new ZFileCompressor(options.Workers);
        _firstHeader = new ZFileHeader
        {
            Flags = ZFileHeaderFlags.Header | ZFileHeaderFlags.DataFile | ZFileHeaderFlags.Digest,
            BlockSize = (uint)options.BlockSize,
            Algorithm = options.Algorithm,
            HasChecksums = true,
        };
    }

    private enum State
    {
        New,
        Open,
        Completed,
        Failed,
        Disposed,
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => _state is State.New or State.Open;

    /// <summary>Gets the number of uncompressed bytes written so far.</summary>
    public override long Length => _length;

    /// <summary>Gets the number of uncompressed bytes written so far; setting it is not supported.</summary>
    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException("A ZFile is written from start to end.");
    }

    /// <summary>Gets the number of bytes that went to the output so far; after <see cref="CompleteAsync"/>, the length of the
    /// ZFile.</summary>
    public long StoredLength => _storedLength;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The ZFile is complete, or an earlier write failed.</exception>
    /// <exception cref="IOException">The output failed, or there are more blocks than a ZFile may have.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CheckOpen();
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            while (!buffer.IsEmpty)
            {
                _batch ??= _spares.TryPop(out ZFileBatch? spare) ? spare : new ZFileBatch(_codec, (int)_firstHeader.BlockSize);
                int count = _batch.Fill(buffer.Span);
                buffer = buffer[count..];
                _length += count;
                if (_batch.IsFull)
                {
                    await CompressBatchAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            _state = State.Failed;
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>Writes what remains, the jump table and the trailer, and flushes the output. Calling it again does nothing.</summary>
    /// <param name="cancellationToken">Abandons the completion; the output is then an incomplete file.</param>
    /// <returns>A task that completes when the ZFile is whole.</returns>
    /// <exception cref="InvalidOperationException">An earlier write failed.</exception>
    /// <exception cref="IOException">The output failed.</exception>
    /// <exception cref="ObjectDisposedException">The writer has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The completion was abandoned.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        if (_state == State.Completed)
        {
            return;
        }

        CheckOpen();
        try
        {
            await FinishBlocksAsync(cancellationToken).ConfigureAwait(false);
            ZFileHeader header = await WriteJumpTableAsync(cancellationToken).ConfigureAwait(false);
            byte[] block = new byte[ZFileConstants.HeaderLength];
            (header with { Flags = ZFileHeaderFlags.DataFile | ZFileHeaderFlags.Sealed | ZFileHeaderFlags.Digest }).WriteTo(block);
            await StoreAsync(block, cancellationToken).ConfigureAwait(false);
            if (_overwriteHeader)
            {
                (header with { Flags = _firstHeader.Flags | ZFileHeaderFlags.HeaderOverwritten }).WriteTo(block);
                long end = _output.Position;
                _output.Position = _start;
                await _output.WriteAsync(block, cancellationToken).ConfigureAwait(false);
                _output.Position = end;
            }

            await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
            _state = State.Completed;
        }
        catch
        {
            _state = State.Failed;
            throw;
        }
    }

    /// <summary>Flushes the output. Bytes that do not fill a block yet, or are being compressed, stay in memory.</summary>
    /// <param name="cancellationToken">Abandons the flush.</param>
    /// <returns>A task that completes when the output is flushed.</returns>
    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Flush() => _output.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A ZFile writer cannot be read.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A ZFile is written from start to end.");

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("A ZFile is written from start to end.");

    /// <summary>Completes the ZFile, unless that was done or a write failed, and releases the writer and its output.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    /// <exception cref="IOException">The output failed.</exception>
    public override async ValueTask DisposeAsync()
    {
        await ReleaseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            ReleaseAsync().AsTask().GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private async ValueTask ReleaseAsync()
    {
        if (_state == State.Disposed)
        {
            return;
        }

        try
        {
            if (_state is State.New or State.Open)
            {
                await CompleteAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _state = State.Disposed;
            await _compressor.DisposeAsync().ConfigureAwait(false);
            if (!_leaveOpen)
            {
                await _output.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private void CheckOpen()
    {
        ObjectDisposedException.ThrowIf(_state == State.Disposed, this);
        if (_state is State.Completed or State.Failed)
        {
            throw new InvalidOperationException(
                _state == State.Completed ? "The ZFile is complete." : "The ZFile is incomplete: an earlier write failed.");
        }
    }

    private async ValueTask CompressBatchAsync(CancellationToken cancellationToken)
    {
        await StoreHeaderAsync(cancellationToken).ConfigureAwait(false);
        if (_compressor.IsFull)
        {
            await StoreOldestAsync(cancellationToken).ConfigureAwait(false);
        }

        _compressor.Add(_batch!);
        _batch = null;
    }

    private async ValueTask FinishBlocksAsync(CancellationToken cancellationToken)
    {
        await StoreHeaderAsync(cancellationToken).ConfigureAwait(false);
        if (_batch is { IsEmpty: false })
        {
            await CompressBatchAsync(cancellationToken).ConfigureAwait(false);
        }

        while (_compressor.InFlight > 0)
        {
            await StoreOldestAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask StoreOldestAsync(CancellationToken cancellationToken)
    {
        ZFileBatch batch = await _compressor.TakeAsync(cancellationToken).ConfigureAwait(false);
        if (_storedLengths.Count + batch.StoredLengths.Length > ZFileConstants.MaxBlockCount)
        {
            throw new IOException($"A ZFile holds {ZFileConstants.MaxBlockCount} blocks at most.");
        }

        _storedLengths.AddRange(batch.StoredLengths);
        await StoreAsync(batch.Stored, cancellationToken).ConfigureAwait(false);
        batch.Reset();
        _spares.Push(batch);
    }

    private async ValueTask StoreHeaderAsync(CancellationToken cancellationToken)
    {
        if (_state == State.New)
        {
            _state = State.Open;
            byte[] block = new byte[ZFileConstants.HeaderLength];
            _firstHeader.WriteTo(block);
            await StoreAsync(block, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<ZFileHeader> WriteJumpTableAsync(CancellationToken cancellationToken)
    {
        const int EntriesPerChunk = 16 * 1024;
        long indexOffset = _storedLength;
        uint checksum = 0;
        byte[] chunk = new byte[Math.Min(EntriesPerChunk, _storedLengths.Count) * ZFileConstants.JumpTableEntryLength];
        for (int first = 0; first < _storedLengths.Count; first += EntriesPerChunk)
        {
            int count = Math.Min(EntriesPerChunk, _storedLengths.Count - first);
            Memory<byte> entries = chunk.AsMemory(0, count * ZFileConstants.JumpTableEntryLength);
            ZFileJumpTable.WriteEntries(CollectionsMarshal.AsSpan(_storedLengths).Slice(first, count), entries.Span);
            checksum = Crc32C.Append(checksum, entries.Span);
            await StoreAsync(entries, cancellationToken).ConfigureAwait(false);
        }

        return _firstHeader with
        {
            IndexOffset = indexOffset,
            BlockCount = _storedLengths.Count,
            Length = _length,
            IndexChecksum = checksum,
        };
    }

    private async ValueTask StoreAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        _storedLength += bytes.Length;
    }
}
