// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace OverlayBd.Format.Tar;

/// <summary>Wraps what is written to it in a tar archive of one file.</summary>
/// <remarks>
/// <para>It can seek back over what was written, as a <see cref="ZFile.ZFileWriter"/> does that overwrites its header. Positions are those
/// in the content.</para>
/// <para>The archive's header says the length and comes last. Until <see cref="CompleteAsync"/>, or else
/// <see cref="DisposeAsync"/>, has written it there are zeros in its place, so that nobody takes an interrupted archive for a whole
/// one.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1710", Justification = "It stands beside TarBlobSource, and is written to like any writer.")]
public sealed class TarBlobWriter : Stream
{
    private readonly Stream _output;
    private readonly bool _leaveOpen;
    private readonly long _contentStart;
    private long _length;
    private bool _started;
    private bool _completed;
    private bool _failed;
    private bool _disposed;

    /// <summary>Makes a writer. Nothing is written yet.</summary>
    /// <param name="output">A stream that can seek; the archive goes to its current position. Owned by the writer unless
    /// <paramref name="leaveOpen"/>.</param>
    /// <param name="leaveOpen">Whether disposing the writer leaves the output open.</param>
    /// <exception cref="ArgumentException">The output cannot be written, or cannot seek.</exception>
    public TarBlobWriter(Stream output, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!output.CanWrite || !output.CanSeek)
        {
            throw new ArgumentException("A tar wrapper needs an output that can be written and can seek.", nameof(output));
        }

        _output = output;
        _leaveOpen = leaveOpen;
        _contentStart = output.Position + TarBlobConstants.PaxContentOffset;
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => CanWrite;

    /// <inheritdoc/>
    public override bool CanWrite => !_completed && !_disposed && !_failed;

    /// <summary>Gets the length of the content so far, in bytes.</summary>
    public override long Length => _length;

    /// <summary>Gets or sets where in the content the next byte goes; not past its end.</summary>
    public override long Position
    {
        get => _started ? _output.Position - _contentStart : 0;
        set
        {
            CheckOpen();
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, _length);
            if (_started)
            {
                _output.Position = _contentStart + value;
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The archive is complete, or an earlier write failed.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CheckOpen();
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await StartAsync(cancellationToken).ConfigureAwait(false);
            await _output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            _length = Math.Max(_length, Position);
        }
        catch
        {
            _failed = true;
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>Writes the end of the archive, then its header, and flushes the output, which is left at its end. Calling it again does
    /// nothing.</summary>
    /// <param name="cancellationToken">Abandons the completion; the output is then an incomplete archive.</param>
    /// <returns>A task that completes when the archive is whole.</returns>
    /// <exception cref="InvalidOperationException">An earlier write failed.</exception>
    /// <exception cref="IOException">The output failed.</exception>
    /// <exception cref="ObjectDisposedException">The writer has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The completion was abandoned.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        if (_completed)
        {
            return;
        }

        CheckOpen();
        try
        {
            await StartAsync(cancellationToken).ConfigureAwait(false);
            _output.Position = _contentStart + _length;
            int padding = (int)(-_length & (TarBlobConstants.RecordLength - 1));
            await _output.WriteAsync(new byte[padding + TarBlobConstants.EndLength], cancellationToken).ConfigureAwait(false);
            long end = _output.Position;
            _output.Position = _contentStart - TarBlobConstants.PaxContentOffset;
            await _output.WriteAsync(CreateRecords(_length), cancellationToken).ConfigureAwait(false);
            _output.Position = end;
            await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
            _completed = true;
        }
        catch
        {
            _failed = true;
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Flush() => _output.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A tar writer cannot be read.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("The content is as long as what was written.");

    /// <summary>Completes the archive, unless that was done or a write failed, and releases the writer and its output.</summary>
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

    private static byte[] CreateRecords(long length)
    {
        byte[] records = new byte[TarBlobConstants.PaxContentOffset];
        byte[] pax = CreatePax(length);
        TarBlobHeader.WritePax(records.AsSpan(0, TarBlobConstants.RecordLength), pax.Length);
        pax.CopyTo(records, TarBlobConstants.RecordLength);
        TarBlobHeader.WriteContent(records.AsSpan(2 * TarBlobConstants.RecordLength));
        return records;
    }

    /// <summary>The pax record "LENGTH size=NUMBER\n", whose length counts its own digits.</summary>
    private static byte[] CreatePax(long length)
    {
        string rest = $" size={length}\n";
        int total = rest.Length;
        while (total != rest.Length + $"{total}".Length)
        {
            total = rest.Length + $"{total}".Length;
        }

        return Encoding.ASCII.GetBytes($"{total}{rest}");
    }

    private void CheckOpen()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed || _failed)
        {
            throw new InvalidOperationException(
                _completed ? "The archive is complete." : "The archive is incomplete: an earlier write failed.");
        }
    }

    private async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        if (!_started)
        {
            await _output.WriteAsync(new byte[TarBlobConstants.PaxContentOffset], cancellationToken).ConfigureAwait(false);
            _started = true;
        }
    }

    private async ValueTask ReleaseAsync()
    {
        if (_disposed)
        {
            return;
        }

        try
        {
            if (!_completed && !_failed)
            {
                await CompleteAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _disposed = true;
            if (!_leaveOpen)
            {
                await _output.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
