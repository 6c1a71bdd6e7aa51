// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Snapshotter.Devices;
using OverlayBd.Snapshotter.Interop;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;
using OverlayBd.Snapshotter.Mounting;
using OverlayBd.Snapshotter.Storage;

namespace OverlayBd.Snapshotter;

/// <summary>The snapshots of one root directory: ordinary layers by overlayfs, overlaybd layers as block devices.</summary>
/// <remarks>
/// <para>The life of a snapshot is containerd's. <see cref="PrepareAsync"/> makes an active one on a committed parent, which the caller
/// mounts and writes; <see cref="CommitAsync"/> makes it final under a name, to be a parent itself; <see cref="ViewAsync"/> makes one that is
/// only read; <see cref="MountsAsync"/> tells again how to mount it, also after a reboot; <see cref="RemoveAsync"/> ends it, children
/// first. A layer whose labels say where its registry has it needs no unpacking: Prepare commits it at once and answers
/// <see cref="SnapshotError.AlreadyExists"/>.</para>
/// <para>All methods may be called at the same time. Work on one snapshot, and on one device, is done one after the other; no lock is held
/// while a backstore opens a device, but that device's own. A change is on the disk when its call returns; a failed call leaves
/// nothing behind, and what a crash leaves is removed by <see cref="OpenAsync"/>.</para>
/// </remarks>
public sealed partial class OverlayBdSnapshotter : IAsyncDisposable
{
    private readonly OverlayBdSnapshotterOptions _options;
    private readonly SnapshotLayout _layout;
    private readonly SnapshotMetadata _metadata;
    private readonly SnapshotDevices _devices;
    private readonly DeviceConfigs _configs;
    private readonly KeyedLocks _locks = new();
    private readonly FileStream _rootLock;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <summary>What the kernel's overlayfs wants.</summary>
    private readonly IReadOnlyList<string> _overlayOptions = OverlayFeatures.Detect();

    /// <summary>Directories that are being made and have no record yet, which are no orphans.</summary>
    private readonly ConcurrentDictionary<long, bool> _creating = new();
    private int _isDisposed;

    private OverlayBdSnapshotter(
        OverlayBdSnapshotterOptions options,
        SnapshotLayout layout,
        SnapshotMetadata metadata,
        IBlockDeviceAttacher attacher,
        FileStream rootLock,
        TimeProvider time,
        ILogger logger)
    {
        _options = options;
        _layout = layout;
        _metadata = metadata;
        _devices = new(attacher, options.DefaultFileSystem, time, logger);
        _configs = new(layout, options);
        _rootLock = rootLock;
        _time = time;
        _logger = logger;
    }

    /// <summary>Opens a root, and removes what a crash left there: directories without a record, records without a directory.</summary>
    /// <param name="options">How snapshots are made.</param>
    /// <param name="attacher">How devices are attached. It stays the caller's.</param>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> for nowhere.</param>
    /// <param name="timeProvider">The clock; <see langword="null"/> for the system's.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The open root; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The root is not an absolute path.</exception>
    /// <exception cref="SnapshotException">An option is malformed; or <see cref="SnapshotError.FailedPrecondition"/>: another process has the root
    /// open.</exception>
    /// <exception cref="InvalidDataException">The database is of a later version.</exception>
    /// <exception cref="IOException">The root or the database cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The root may not be written.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static async Task<OverlayBdSnapshotter> OpenAsync(
        OverlayBdSnapshotterOptions options,
        IBlockDeviceAttacher attacher,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(attacher);
        if (!Path.IsPathFullyQualified(options.Root))
        {
            throw new ArgumentException($"The root '{options.Root}' is not an absolute path.", nameof(options));
        }

        _ = FileSystemSpec.Parse(options.DefaultFileSystem);
        new SnapshotLayout(options.Root).CreateRoot();
        SnapshotLayout layout = new(LinuxCalls.ResolvePath(options.Root));
        FileStream rootLock = TakeRoot(layout);
        SnapshotMetadata? metadata = null;
        try
        {
            metadata = SnapshotMetadata.Open(layout.Database);
            ILogger logger = loggerFactory?.CreateLogger<OverlayBdSnapshotter>() ?? (ILogger)NullLogger.Instance;
            OverlayBdSnapshotter opened = new(
                options, layout, metadata, attacher, rootLock, timeProvider ?? TimeProvider.System, logger);
            await opened.RepairAsync(cancellationToken).ConfigureAwait(false);
            return opened;
        }
        catch
        {
            metadata?.Dispose();
            await rootLock.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Tells what is known of a snapshot.</summary>
    /// <param name="key">Its key or name.</param>
    /// <param name="cancellationToken">Abandons the look-up.</param>
    /// <returns>What is known.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>.</exception>
    public Task<SnapshotInfo> StatAsync(string key, CancellationToken cancellationToken = default) => AnswerAsync(
        () =>
        {
            InputCheck.Name(key, "the key");
            return _metadata.Get(key).Info;
        },
        cancellationToken);

    /// <summary>Lists snapshots by name, in the order of the bytes.</summary>
    /// <param name="filters">containerd's filters, such as <c>kind==active,labels."a.b/c"~=/^x/</c>; one must match. None, for all.</param>
    /// <param name="cancellationToken">Abandons the listing.</param>
    /// <returns>The snapshots, as of one moment.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.InvalidArgument"/>: a filter is malformed.</exception>
    public Task<IReadOnlyList<SnapshotInfo>> ListAsync(IEnumerable<string>? filters = null, CancellationToken cancellationToken = default) => AnswerAsync(
        () =>
        {
            Filters.SnapshotFilter filter = Filters.SnapshotFilter.Parse(filters ?? []);
            return (IReadOnlyList<SnapshotInfo>)[.. _metadata.List().Select(record => record.Info).Where(filter.Matches)];
        },
        cancellationToken);

    /// <summary>Changes the labels of a snapshot.</summary>
    /// <param name="info">Its name, and its new labels.</param>
    /// <param name="fieldPaths"><c>labels</c> for all labels, <c>labels.NAME</c> for one, which goes when it has no value; none is all.</param>
    /// <param name="cancellationToken">Abandons the change.</param>
    /// <returns>The snapshot as it is then.</returns>
    /// <exception cref="SnapshotException"><see cref="SnapshotError.NotFound"/>, or <see cref="SnapshotError.InvalidArgument"/>: something else cannot be
    /// changed.</exception>
    public async Task<SnapshotInfo> UpdateAsync(
        SnapshotInfo info, IReadOnlyList<string>? fieldPaths = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(info);
        InputCheck.Name(info.Name, "the name");
        const string Labels = "labels";
        const string OneLabel = "labels.";
        using IDisposable names = await _locks.LockAsync([info.Name], cancellationToken).ConfigureAwait(false);
        SnapshotRecord record = _metadata.Get(info.Name);
        Dictionary<string, string> labels = new(record.Labels, StringComparer.Ordinal);
        foreach (string path in fieldPaths is { Count: > 0 } ? fieldPaths : [Labels])
        {
            if (path == Labels)
            {
                labels = new(info.Labels, StringComparer.Ordinal);
            }
            else if (path.StartsWith(OneLabel, StringComparison.Ordinal))
            {
                string label = path[OneLabel.Length..];
                labels[label] = info.Labels.GetValueOrDefault(label) ?? "";
            }
            else
            {
                throw SnapshotException.Invalid(
                    $"cannot update \"{SnapshotException.Printable(path)}\" field on snapshot \"{SnapshotException.Printable(info.Name)}\"");
            }
        }

        await _metadata.SetLabelsAsync(record.Id, InputCheck.Labels(labels), _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        return _metadata.Get(info.Name).Info;
    }

    /// <summary>Closes the database and gives the root free. Mounts and devices stay. Calling it again does nothing.</summary>
    /// <returns>A task that completes when that is done.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _metadata.Dispose();
            await _rootLock.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What needs no waiting, with its failure in the task as everywhere.</summary>
    private static Task<T> AnswerAsync<T>(Func<T> answer, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(answer());
        }
        catch (Exception e) when (e is SnapshotException or IOException or UnauthorizedAccessException)
        {
            return Task.FromException<T>(e);
        }
        catch (OperationCanceledException)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }
    }

    private static FileStream TakeRoot(SnapshotLayout layout)
    {
        try
        {
            return new(layout.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw SnapshotException.Precondition($"another process has the snapshots in {layout.Root} open", e);
        }
    }

    private static string DeviceLock(long id) => "\0device " + id.ToString(CultureInfo.InvariantCulture);
}
