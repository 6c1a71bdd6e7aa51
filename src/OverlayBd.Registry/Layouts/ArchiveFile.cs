// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using OverlayBd.Format;

namespace OverlayBd.Registry.Layouts;

/// <summary>A tar file whose entries are read in place.</summary>
internal sealed class ArchiveFile : IAsyncDisposable
{
    private const int MaxEntries = 100_000;

    private readonly BlockSource _file;
    private readonly Dictionary<string, (long Offset, long Length)> _entries;

    private ArchiveFile(BlockSource file, Dictionary<string, (long Offset, long Length)> entries)
    {
        _file = file;
        _entries = entries;
    }

    /// <summary>Lists a tar file's regular entries.</summary>
    /// <exception cref="RegistryException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no tar file, or a compressed one.</exception>
    public static async Task<ArchiveFile> OpenAsync(string path, CancellationToken cancellationToken)
    {
        FileBlockSource file;
        try
        {
            file = FileBlockSource.Open(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RegistryException(RegistryError.NotFound, $"There is no archive {path}.", innerException: error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new RegistryException(
                RegistryError.Forbidden, $"The archive {path} may not be read: {error.Message}", innerException: error);
        }

        try
        {
            return new ArchiveFile(file, await ListAsync(file, path, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens an entry, or tells that there is none by null. The archive must outlive it.</summary>
    public BlockSource? Open(string name) =>
        _entries.TryGetValue(name, out (long Offset, long Length) entry)
            ? new SliceBlockSource(_file, entry.Offset, entry.Length, leaveOpen: true)
            : null;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private static async Task<Dictionary<string, (long Offset, long Length)>> ListAsync(
        BlockSource file, string path, CancellationToken cancellationToken)
    {
        byte[] magic = new byte[(int)Math.Min(4, file.Length)];
        await file.ReadAsync(0, magic, cancellationToken).ConfigureAwait(false);
        if (magic is [0x1f, 0x8b, ..] or [0x28, 0xb5, 0x2f, 0xfd])
        {
            throw new InvalidDataException(
                $"{path}: the archive is compressed, so it cannot be read in place. Unpack it with gunzip or unzstd.");
        }

        var entries = new Dictionary<string, (long Offset, long Length)>(StringComparer.Ordinal);
        try
        {
            var reader = new TarReader(new BlockSourceStream(file, leaveOpen: true));
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is TarEntry entry)
                {
                    if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                    {
                        continue;
                    }

                    string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
                    // As when unpacking, the last of two wins. An empty file has no data to point at.
                    entries[name] = entry.Length == 0 ? (0, 0) : (entry.DataOffset, entry.Length);
                    if (entry.Length < 0 || entry.DataOffset > file.Length - entry.Length)
                    {
                        throw new InvalidDataException(
                            $"entry {Redaction.Clean(name, 120)} of {entry.Length} bytes goes past the end of the file");
                    }

                    if (entries.Count > MaxEntries)
                    {
                        throw new InvalidDataException($"there are more than {MaxEntries} entries");
                    }
                }
            }
        }
        catch (Exception error)
            when (error is InvalidDataException or FormatException or EndOfStreamException or ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException($"{path}: not an OCI archive: {Redaction.Clean(error.Message, 300).TrimEnd('.')}.", error);
        }

        return entries;
    }
}
