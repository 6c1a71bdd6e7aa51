// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Tcmu.Ring;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

/// <summary>One device being served: reads commands from its ring, has the store execute them, and writes the responses.</summary>
/// <remarks>A command whose store answers at once is completed on the ring's thread, and the doorbell is rung once for all of
/// a batch. One that must wait is completed from wherever its store completes; it never holds up the others.</remarks>
public sealed partial class TcmuDevice : IAsyncDisposable
{
    private readonly RingDevice _device;
    private readonly TcmuRing _ring;
    private readonly RingMemory _mapping;
    private readonly BlockStore _store;
    private readonly DiskIdentity _identity;
    private readonly ScsiEmulator _emulator;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new(); // held while the ring is read; guards _closed
    private readonly Lock _commands = new(); // guards _free and _waiting
    private readonly Stack<TcmuCommand> _free = new();
    private readonly HashSet<TcmuCommand> _waiting = [];
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _closed;
    private int _disposed;

    internal TcmuDevice(TcmuDeviceInfo info, RingDevice device, BlockStore store, TcmuHandlerOptions options, TimeProvider time, ILogger logger)
    {
        Info = info;
        _device = device;
        unsafe
        {
            _ring = new TcmuRing(device.Map, device.Length);
            _mapping = new RingMemory(device.Map, device.Length);
        }

        _store = store;
        _identity = new DiskIdentity(info.Name, options.BlockSize, store.IsReadOnly, options.WriteCache);
        _emulator = new ScsiEmulator(_identity);
        _time = time;
        _logger = logger;
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
                return _counters.Snapshot(_waiting.Count);
            }
        }
    }

    internal int Descriptor => _device.Descriptor;

    internal bool IsDrained => _ring.IsDrained;

    /// <summary>Stops reading commands, abandons those that wait, and releases the mapping and the store.</summary>
    /// <returns>A task that completes when all is released.</returns>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        lock (_reading)
        {
            _closed = true;
        }

        lock (_commands)
        {
            foreach (TcmuCommand command in _waiting)
            {
                command.Abandon();
            }

            if (_waiting.Count == 0)
            {
                _idle.TrySetResult();
            }
        }

        await _idle.Task.ConfigureAwait(false);
        _device.Dispose();
        lock (_commands)
        {
            foreach (TcmuCommand command in _free)
            {
                command.Dispose();
            }
        }

        await _store.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Reads what is in the ring. Called on the thread of the device's poller only.</summary>
    /// <returns>Whether to go on with this device.</returns>
    internal bool ReadRing()
    {
        lock (_reading)
        {
            if (_closed)
            {
                return false;
            }

            bool completed = false;
            TcmuCommand command = Rent();
            try
            {
                while (_ring.TryRead(command))
                {
                    if (Start(command))
                    {
                        completed = true;
                    }
                    else
                    {
                        command = Rent();
                    }
                }
            }
            catch (InvalidDataException broken)
            {
                TcmuLog.RingBroken(_logger, Info, broken);
                return false;
            }
            finally
            {
                Return(command);
                if (completed)
                {
                    _device.RingDoorbell();
                }
            }

            return true;
        }
    }

    /// <summary>Fails the commands that have waited longer than <paramref name="limit"/>.</summary>
    internal void AbandonOverdue(TimeSpan limit)
    {
        lock (_commands)
        {
            foreach (TcmuCommand command in _waiting)
            {
                if (!command.Abandoned.IsCancellationRequested && _time.GetElapsedTime(command.WaitingSince) > limit)
                {
                    _counters.Hung();
                    TcmuLog.CommandHung(_logger, Info, command.Cdb[0], limit);
                    command.Abandon();
                }
            }
        }
    }

    /// <summary>Begins a command.</summary>
    /// <returns>Whether it has ended already.</returns>
    private bool Start(TcmuCommand command)
    {
        ValueTask<ScsiResult> execution = ExecuteAsync(command);
        if (execution.IsCompletedSuccessfully)
        {
            Complete(command, execution.Result);
            return true;
        }

        command.WaitingSince = _time.GetTimestamp();
        lock (_commands)
        {
            _waiting.Add(command);
        }

        _ = FinishAsync(command, execution);
        return false;
    }

    /// <summary>Waits for a command and completes it. Nothing escapes: errors have become results.</summary>
    private async Task FinishAsync(TcmuCommand command, ValueTask<ScsiResult> execution)
    {
        ScsiResult result = await execution.ConfigureAwait(false);
        Complete(command, result);
        _device.RingDoorbell();
        lock (_commands)
        {
            _waiting.Remove(command);
            _free.Push(command);
            if (_waiting.Count == 0 && Volatile.Read(ref _disposed) != 0)
            {
                _idle.TrySetResult();
            }
        }
    }

    private void Complete(TcmuCommand command, ScsiResult result)
    {
        Span<byte> sense = stackalloc byte[ScsiResult.SenseLength];
        if (result.Status == 0)
        {
            sense = [];
        }
        else
        {
            result.WriteSense(sense);
        }

        _ring.Complete(command.Id, result.Status, sense, result.DataLength > 0 ? (uint)result.DataLength : null);
    }

    private TcmuCommand Rent()
    {
        lock (_commands)
        {
            return _free.TryPop(out TcmuCommand? command) ? command : new TcmuCommand();
        }
    }

    private void Return(TcmuCommand command)
    {
        lock (_commands)
        {
            _free.Push(command);
        }
    }
}
