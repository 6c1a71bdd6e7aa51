// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Tcmu.Ring;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

/// <summary>One device being served: reads commands from its ring, has the store execute them, and writes the responses.</summary>
/// <remarks>A command whose store answers at once is completed on the ring's thread, and the doorbell is rung once for all of
/// a batch. One that must wait is completed from wherever its store completes; it never holds up the others. The handler that
/// made the device also ends it.</remarks>
public sealed partial class TcmuDevice
{
    /// <summary>How long an abandoned command may take to come back before it is answered without its store.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    private readonly RingDevice _device;
    private readonly TcmuRing _ring;
    private readonly Memory<byte> _mapping;
    private readonly BlockStore _store;
    private readonly DiskIdentity _identity;
    private readonly ScsiEmulator _emulator;
    private readonly TcmuMetrics? _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new(); // held while the ring is read; guards _closed
    private readonly Lock _commands = new(); // guards the three tables of commands, their states, and what follows
    private readonly Stack<TcmuCommand> _free = new();
    private readonly HashSet<TcmuCommand> _waiting = [];
    private readonly HashSet<TcmuCommand> _givenUp = [];
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _closing;
    private bool _released;
    private bool _closed;

    internal TcmuDevice(
        TcmuDeviceInfo info,
        RingDevice device,
        BlockStore store,
        TcmuHandlerOptions options,
        TimeProvider time,
        ILogger logger,
        TcmuMetrics? metrics = null)
    {
        Info = info;
        _device = device;
        unsafe
        {
            _ring = new TcmuRing(device.Map, device.Length);
            _mapping = new RingMemory(device.Map, device.Length).Memory;
        }

        _store = store;
        _identity = new DiskIdentity(info.Name, options.BlockSize, store.IsReadOnly);
        _writeCache = options.WriteCache;
        _emulator = new ScsiEmulator(_identity);
        _time = time;
        _logger = logger;
        _metrics = metrics;
    }

    /// <summary>Gets what the kernel said of the device.</summary>
    public TcmuDeviceInfo Info { get; }

    /// <summary>Gets what is served; it belongs to the device.</summary>
    public BlockStore Store => _store;

    /// <summary>Gets what the device has done so far.</summary>
    public TcmuDeviceStatistics Statistics
    {
        get
        {
            lock (_commands)
            {
                return _counters.Snapshot(_waiting.Count + _givenUp.Count);
            }
        }
    }

    internal int Descriptor => _device.Descriptor;

    internal int BellDescriptor => _device.BellDescriptor;

    /// <summary>By what the device's poller knows it.</summary>
    internal long PollKey { get; set; }

    /// <summary>The kernel's number of the device, which answers carry; null while it is not known.</summary>
    internal int? KernelId { get; set; }

    internal bool IsDrained => _ring.IsDrained;

    /// <summary>Whether the kernel's side is gone, or makes no sense: nothing is read any more.</summary>
    internal bool IsGone { get; private set; }

    /// <summary>Stops reading commands, sends those that wait back to the initiator, and releases the mapping and the store.</summary>
    /// <remarks>A store that holds on to a command after it was cancelled keeps the mapping, which it may still write to, and with
    /// it the uio device; nothing else waits for it.</remarks>
    internal async ValueTask CloseAsync()
    {
        lock (_reading)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        lock (_commands)
        {
            _closing = true;
            foreach (TcmuCommand command in _waiting)
            {
                command.Abandon(ScsiResult.Busy);
            }

            SignalIfIdle();
        }

        using (var grace = new CancellationTokenSource(s_grace, _time))
        {
            await _idle.Task.WaitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (_ring.CanKeepBuffers)
        {
            GiveUp(static _ => true);
        }

        await _idle.Task.ConfigureAwait(false);
        lock (_commands)
        {
            ReleaseIfDone();
        }

        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private void SignalIfIdle()
    {
        if (_closing && _waiting.Count == 0)
        {
            _idle.TrySetResult();
        }
    }

    /// <summary>Releases the mapping once nothing can touch it any more. Called with the lock of commands held.</summary>
    private void ReleaseIfDone()
    {
        if (_released || !_idle.Task.IsCompleted || _givenUp.Count > 0)
        {
            return;
        }

        _released = true;
        _device.Dispose();
        foreach (TcmuCommand command in _free)
        {
            command.Dispose();
        }
    }
}
