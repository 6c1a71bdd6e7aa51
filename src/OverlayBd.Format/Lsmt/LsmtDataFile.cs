// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format.Lsmt;

/// <summary>The data file of an upper: payload behind payload, or sparse. Sealed, it is a layer; reads that were under way go on.</summary>
/// <remarks>Its length grows as places are reserved, which nobody outside of the upper can see.</remarks>
internal sealed class LsmtDataFile : BlockSource
{
    private readonly SafeFileHandle _file;
    private long _end;

    public LsmtDataFile(SafeFileHandle file, string path, long end)
    {
        _file = file;
        Path = path;
        _end = end;
    }

    /// <summary>Gets the path, for messages.</summary>
    public string Path { get; }

    /// <summary>Gets the open file.</summary>
    public SafeFileHandle Handle => _file;

    /// <summary>Gets the byte behind the last reserved place; a multiple of the sector size.</summary>
    public override long Length => Volatile.Read(ref _end);

    /// <summary>Reserves a place at the end. Whoever reserved it may write it at leisure.</summary>
    /// <returns>The place's first byte.</returns>
    public long Reserve(long length) => Interlocked.Add(ref _end, length) - length;

    /// <summary>Writes a reserved place, or part of it.</summary>
    public void Write(long position, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_file, bytes, position);

    /// <summary>Sets the end, and with it the length of the file; nobody reserves or writes meanwhile.</summary>
    public void SetEnd(long end)
    {
        RandomAccess.SetLength(_file, end);
        Volatile.Write(ref _end, end);
    }

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
