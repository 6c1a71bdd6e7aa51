// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Format;
using OverlayBd.Fuse.Diagnostics;
using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Loop;
using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Serving;
using Tmds.Linux;

namespace OverlayBd.Fuse;

/// <summary>A <see cref="BlockStore"/> as a block device of this machine, by way of /dev/fuse and a loop device.</summary>
/// <remarks>
/// <para>The disk is a single file, mounted over <see cref="MountPoint"/>, and <see cref="DevicePath"/> is a loop device
/// over it. Threads of this process answer what the kernel asks; a read whose store completes at once allocates nothing, one
/// that has to wait leaves the thread to others.</para>
/// <para>Whatever the store throws is an I/O error for who asked, one log record, and nothing else. Attaching
/// needs the rights of root: CAP_SYS_ADMIN, /dev/fuse and /dev/loop-control.</para>
/// <para>Should this process be killed, users of the device get I/O errors; <see cref="FuseDeviceInventory"/> finds and removes
/// what is left.</para>
/// </remarks>
public sealed partial class FuseBlockDevice : IAsyncDisposable
{
    /// <summary>The disk's length must be a multiple of this, in bytes: the page, below which the loop device drops the rest.</summary>
    public const int LengthAlignment = 4096;

    private readonly BlockStore _store;
    private readonly FuseBlockDeviceOptions _options;
    private readonly ILogger _logger;
    private readonly FuseConnection _connection;
    private readonly string _mountPoint;
    private FuseMount? _mount;
    private LoopDevice? _loop;
    private FileDescriptor? _autoClearHold;

    private FuseBlockDevice(BlockStore store, FuseBlockDeviceOptions options)
    {
        _store = store;
        _options = options;
        _logger = options.LoggerFactory?.CreateLogger<FuseBlockDevice>() ?? (ILogger)NullLogger.Instance;
        IsReadOnly = options.ReadOnly || store.IsReadOnly;
        _mountPoint = MountPointFile.Create(options.MountPoint, options.Name.Replace('/', '_'));
        _connection = new FuseConnection(options.Name, store, IsReadOnly, options, _logger);
        Statistics = new FuseBlockDeviceStatistics(_connection);
    }

    /// <summary>Gets what the device is called in messages and metrics.</summary>
    public string Name => _options.Name;

    /// <summary>Gets the path of the block device: "/dev/loop3".</summary>
    public string DevicePath => _loop!.Path;

    /// <summary>Gets the path of the file that is the disk.</summary>
    public string MountPoint => _mountPoint;

    /// <summary>Gets whether the device refuses writes.</summary>
    public bool IsReadOnly { get; }

    /// <summary>Gets the length of the disk, in bytes.</summary>
    public long Length => _store.Length;

    /// <summary>Gets a task that completes when the kernel has ended the connection: by a detach, or because somebody else
    /// unmounted the file. It fails with an <see cref="IOException"/> when the connection was aborted or broke. The device is still to
    /// be disposed.</summary>
    public Task Completion => _connection.Completion;

    /// <summary>Gets what the device has done so far.</summary>
    public FuseBlockDeviceStatistics Statistics { get; }

    /// <summary>Serves a store as a block device.</summary>
    /// <param name="store">The store, whose length is a multiple of <see cref="LengthAlignment"/>; owned by the device once this
    /// succeeds, unless <see cref="FuseBlockDeviceOptions.LeaveOpen"/>.</param>
    /// <param name="options">How it is served; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Abandons the attach; nothing of it is left then.</param>
    /// <returns>The device, which can be used and is to be disposed.</returns>
    /// <exception cref="ArgumentException">The length, the block size or another option does not suit.</exception>
    /// <exception cref="IOException">The kernel refused: the message says what, <see cref="Exception.HResult"/> is its errno.</exception>
    /// <exception cref="UnauthorizedAccessException">The mount-point file cannot be created.</exception>
    /// <exception cref="OperationCanceledException">The attach was abandoned.</exception>
    public static async Task<FuseBlockDevice> AttachAsync(
        BlockStore store, FuseBlockDeviceOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        options = options?.Copy() ?? new FuseBlockDeviceOptions();
        options.Validate();
        if (store.Length == 0 || store.Length % LengthAlignment != 0)
        {
            throw new ArgumentException(
                $"The length of a disk is a multiple of {LengthAlignment} bytes, not {store.Length}.", nameof(store));
        }

        if (!options.ReadOnly && !store.IsReadOnly && options.BlockSize % store.WriteAlignment != 0)
        {
            throw new ArgumentException(
                $"The store takes writes of {store.WriteAlignment} bytes; blocks of {options.BlockSize} bytes do not suit.",
                nameof(options));
        }

        cancellationToken.ThrowIfCancellationRequested();
        FuseBlockDevice device = new(store, options);
        try
        {
            // The steps block until workers answer; see BlockingCall.
            await BlockingCall.RunAsync(() => device.Attach(cancellationToken)).ConfigureAwait(false);
            return device;
        }
        catch
        {
            await device.AbandonAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Has the kernel take over the length of the store, after that has grown.</summary>
    /// <param name="cancellationToken">Abandons the wait, not the call.</param>
    /// <returns>A task that completes when <see cref="DevicePath"/> is as long as the store.</returns>
    /// <exception cref="IOException">The kernel refused; the device is as it was.</exception>
    /// <exception cref="InvalidOperationException">The store's length is no multiple of <see cref="LengthAlignment"/>.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public Task AnnounceLengthAsync(CancellationToken cancellationToken = default)
    {
        if (_store.Length % LengthAlignment != 0)
        {
            throw new InvalidOperationException($"The length of a disk is a multiple of {LengthAlignment} bytes, not {_store.Length}.");
        }

        return BlockingCall.RunAsync(AnnounceLength).WaitAsync(cancellationToken);
    }

    private void AnnounceLength()
    {
        int errno = LinuxCalls.RefreshAttributes(_mountPoint);
        if (errno != 0)
        {
            throw KernelError.Create(errno, $"The length of '{_mountPoint}' cannot be read");
        }

        _loop!.AdoptLength();
    }

    private void Attach(CancellationToken cancellationToken)
    {
        // The device must be released after the connection is gone, lest its last flush wait for a process that is dying. An
        // exit runs the releases of its descriptors last closed first (task_work), so the device gets the lowest number.
        FileDescriptor? hold = _options.AutoClear ? FileDescriptor.Open("/dev/null", LibC.O_RDONLY) : null;
        _autoClearHold = hold;
        int fuse = _connection.OpenDevice();
        _mount = FuseMount.Create(Name, _mountPoint, fuse, IsReadOnly);
        _connection.Negotiate();
        _connection.StartFirstWorker();

        // Closing the disk's file asks FLUSH, once in the life of a connection, and an exit that has to ask it of itself hangs
        // for good. So it is asked now, while the connection has one descriptor, whose number is below the file's.
        int access = IsReadOnly ? LibC.O_RDONLY : LibC.O_RDWR;
        FileDescriptor.Open(_mountPoint, access).Dispose();
        cancellationToken.ThrowIfCancellationRequested();
        _connection.StartOtherWorkers();
        LoopFlags flags = LoopFlags.DirectIo
            | (IsReadOnly ? LoopFlags.ReadOnly : LoopFlags.None)
            | (_options.AutoClear ? LoopFlags.AutoClear : LoopFlags.None);
        using (FileDescriptor file = FileDescriptor.Open(_mountPoint, access))
        {
            _loop = LoopDevice.Configure(file, _mountPoint, _options.BlockSize, flags, hold);
        }

        _connection.ReleaseOpener();
        cancellationToken.ThrowIfCancellationRequested();
        FuseLog.Attached(_logger, Name, DevicePath, _mountPoint, Length, IsReadOnly);
        if (!_loop.IsDirect)
        {
            FuseLog.NotDirect(_logger, Name, DevicePath);
        }
    }
}
