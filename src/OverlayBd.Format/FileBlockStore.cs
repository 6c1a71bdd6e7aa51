// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format;

/// <summary>A plain file of a fixed length, written in place. A discard writes zeros.</summary>
public sealed class FileBlockStore : BlockStore
{
    private static readonly byte[] s_zeros = new byte[64 * 1024];
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private FileBlockStore(SafeFileHandle file, string path, long length)
    {
        _file = file;
        _path = path;
        Length = length;
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override bool IsReadOnly => false;

    /// <summary>Opens an existing file for reading and writing. Its length is taken now.</summary>
    /// <param name="path">The file's path.</param>
    /// <returns>The open file; the caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read and written.</exception>
    public static FileBlockStore Open(string path) => Open(path, FileMode.Open, null);

    /// <summary>Creates a sparse file that reads as zeros.</summary>
    /// <param name="path">The file's path; there must be no such file yet.</param>
    /// <param name="length">The file's length, in bytes.</param>
    /// <returns>The open file; the caller disposes it.</returns>
    /// <exception cref="IOException">The file exists or cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be created.</exception>
    public static FileBlockStore Create(string path, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return Open(path, FileMode.CreateNew, length);
    }

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
                    $"'{_path}' ends at byte {offset}; it was {Length} bytes long when it was opened."));
            }

            rest = rest[read..];
            offset += read;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        RandomAccess.Write(_file, buffer.Span, offset);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            int count = (int)Math.Min(length, s_zeros.Length);
            RandomAccess.Write(_file, s_zeros.AsSpan(0, count), offset);
            offset += count;
            length -= count;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken)
    {
        RandomAccess.FlushToDisk(_file);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    private static FileBlockStore Open(string path, FileMode mode, long? length)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle file = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            if (length is long wanted)
            {
                RandomAccess.SetLength(file, wanted);
            }

            return new FileBlockStore(file, path, RandomAccess.GetLength(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
