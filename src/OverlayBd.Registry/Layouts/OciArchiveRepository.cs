// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Layouts;

/// <summary>
/// A tar file of an OCI layout. Reading is done in place. What is pushed is collected in a directory beside the file, and
/// <see cref="CompleteAsync"/> makes the file of it, in place of an earlier one.
/// </summary>
internal sealed class OciArchiveRepository(string path) : ImageRepository
{
    private const long MaxUstarLength = 0x1_FFFF_FFFF; // eleven octal digits

    private readonly SemaphoreSlim _openLock = new(1, 1); // guards the fields below
    private ArchivedLayout? _archive;
    private string? _stagingDirectory;
    private OciLayoutRepository? _staging;

    public override string Name { get; } = $"oci-archive:{path}";

    public override async Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default) =>
        Staging is OciLayoutRepository staging
            ? await staging.GetManifestAsync(tagOrDigest, cancellationToken).ConfigureAwait(false)
            : await (await ArchiveAsync(cancellationToken).ConfigureAwait(false)).GetManifestAsync(tagOrDigest, cancellationToken)
                .ConfigureAwait(false);

    public override async Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default) =>
        new VerifyingStream(
            new BlockSourceStream(await OpenBlobSourceAsync(blob, cancellationToken).ConfigureAwait(false)), blob, Name);

    public override async ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return Staging is OciLayoutRepository staging
            ? await staging.OpenBlobSourceAsync(blob, cancellationToken).ConfigureAwait(false)
            : (await ArchiveAsync(cancellationToken).ConfigureAwait(false)).OpenBlob(blob);
    }

    public override async Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        if (Staging is OciLayoutRepository staging)
        {
            return await staging.BlobExistsAsync(blob, cancellationToken).ConfigureAwait(false);
        }

        return File.Exists(path) && (await ArchiveAsync(cancellationToken).ConfigureAwait(false)).Contains(blob);
    }

    public override async Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        OciLayoutRepository staging = await StageAsync(cancellationToken).ConfigureAwait(false);
        await staging.PushBlobAsync(blob, open, mountFrom, progress, cancellationToken).ConfigureAwait(false);
    }

    public override async Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> content, string mediaType, string? tag, CancellationToken cancellationToken = default)
    {
        OciLayoutRepository staging = await StageAsync(cancellationToken).ConfigureAwait(false);
        return await staging.PushManifestAsync(content, mediaType, tag, cancellationToken).ConfigureAwait(false);
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        await _openLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_stagingDirectory is not string directory)
            {
                return;
            }

            await DurableFile.WriteAsync(
                path, (file, token) => WriteAsync(directory, file, token), cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _staging, null);
            RemoveStaging();
        }
        catch (UnauthorizedAccessException error)
        {
            throw new RegistryException(RegistryError.Forbidden, $"{Name} may not be written: {error.Message}", innerException: error);
        }
        finally
        {
            _openLock.Release();
        }
    }

    protected override async ValueTask ReleaseAsync()
    {
        if (Interlocked.Exchange(ref _archive, null) is ArchivedLayout archive)
        {
            await archive.DisposeAsync().ConfigureAwait(false);
        }

        RemoveStaging();
    }

    private OciLayoutRepository? Staging => Volatile.Read(ref _staging);

    /// <summary>The same layout gives the same archive: order by name, no times, no owners.</summary>
    private static async Task WriteAsync(string directory, Stream output, CancellationToken cancellationToken)
    {
        var writer = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        await using (writer.ConfigureAwait(false))
        {
            IEnumerable<string> files = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(directory, file))
                .Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal);
            foreach (string file in files)
            {
                var content = new FileStream(Path.Combine(directory, file), FileMode.Open, FileAccess.Read);
                await using (content.ConfigureAwait(false))
                {
                    TarEntry entry = content.Length <= MaxUstarLength
                        ? new UstarTarEntry(TarEntryType.RegularFile, file)
                        : new GnuTarEntry(TarEntryType.RegularFile, file);
                    entry.Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
                    entry.ModificationTime = DateTimeOffset.UnixEpoch;
                    entry.DataStream = content;
                    await writer.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task<ArchivedLayout> ArchiveAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _archive) is ArchivedLayout archive)
        {
            return archive;
        }

        await _openLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _archive ??= new ArchivedLayout(await ArchiveFile.OpenAsync(path, cancellationToken).ConfigureAwait(false), Name);
        }
        finally
        {
            _openLock.Release();
        }
    }

    private async Task<OciLayoutRepository> StageAsync(CancellationToken cancellationToken)
    {
        if (Staging is OciLayoutRepository staging)
        {
            return staging;
        }

        await _openLock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_staging is null)
            {
                string file = Path.GetFullPath(path);
                _stagingDirectory = Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileName(file)}.{Guid.NewGuid():N}.tmp");
                Volatile.Write(ref _staging, new OciLayoutRepository(_stagingDirectory, Name));
            }

            return _staging!;
        }
        finally
        {
            _openLock.Release();
        }
    }

    private void RemoveStaging()
    {
        Volatile.Write(ref _staging, null);
        if (Interlocked.Exchange(ref _stagingDirectory, null) is string directory && Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
