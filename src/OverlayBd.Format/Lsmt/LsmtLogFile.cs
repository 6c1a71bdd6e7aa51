// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The data file of a writable pair: payload behind payload, none ever overwritten.</summary>
/// <remarks>Its length grows as places are reserved, which no caller outside of the pair can see.</remarks>
internal sealed class LsmtLogFile : BlockSource
{
    private readonly SafeFileHandle _file;
    private long _end;

    public LsmtLogFile(SafeFileHandle file, string path, long end)
    {
        _file = file;
        Path = path;
        _end = end;
    }

    /// <summary>Gets the path, for messages.</summary>
    public string Path { get; }

    /// <summary>Gets the byte behind the last reserved place; a multiple of the sector size.</summary>
    public override long Length => Volatile.Read(ref _end);

    /// <summary>Reserves a place at the end. Whoever reserved it may write it at leisure.</summary>
    /// <returns>The place's first byte.</returns>
    public long Reserve(long length) => Interlocked.Add(ref _end, length) - length;

    /// <summary>Writes a reserved place, or part of it.</summary>
    public void Write(long position, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file, bytes, position);

    /// <summary>Makes what was written durable.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Span<byte> rest = buffer.Span;
        while (!rest.IsEmpty)
        {
            int read = RandomAccess.Read(_file, rest, offset);
            if (read == 0)
            {
                return ValueTask.FromException(new EndOfStreamException(
                    $"'{Path}' ends at byte {offset}, within data that its index refers to."));
            }

            rest = rest[read..];
            offset += read;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }
}
