// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Format;

/// <summary>A file, read in place.</summary>
/// <remarks>Reads run on the caller's thread: on Linux an asynchronous file read is the same call on another thread.</remarks>
public sealed class FileBlockSource : BlockSource
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private FileBlockSource(SafeFileHandle file, string path, long length)
    {
        _file = file;
        _path = path;
        Length = length;
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <summary>Opens a file. Its length is taken now.</summary>
    /// <param name="path">The file's path.</param>
    /// <returns>The open file; the caller disposes it.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static FileBlockSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return new FileBlockSource(file, path, RandomAccess.GetLength(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
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
    protected override ValueTask ReleaseAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }
}
