// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format;
using OverlayBd.Fuse.Diagnostics;
using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse.Serving;

/// <summary>A mounted FUSE file: its descriptors of /dev/fuse, the workers on them, and the requests in flight.</summary>
internal sealed partial class FuseConnection
{
    private const int RetainedRequests = 32;
    private static readonly TimeSpan s_shortestWatch = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_longestWatch = TimeSpan.FromSeconds(1);

    private readonly FuseBlockDeviceOptions _options;
    private readonly ILogger _logger;
    private readonly FailureLogLimit _logLimit;
    private readonly List<FileDescriptor> _devices = [];
    private readonly List<FuseWorker> _workers = [];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _watchdog;
    private Exception? _failure;
    private int _runningWorkers;
    private int _references = 1; // the opener's, released once all workers run
    private int _openerReleased;
    private int _overdue;

    public FuseConnection(string name, BlockStore store, bool readOnly, FuseBlockDeviceOptions options, ILogger logger)
    {
        Name = name;
        _options = options;
        _logger = logger;
        TimeProvider = options.TimeProvider;
        _logLimit = new FailureLogLimit(TimeProvider);
        Metrics = new FuseMetrics(this);
        Requests = new FuseRequestPool(this, RetainedRequests);
        Handler = new FuseRequestHandler(this, store, readOnly);
    }

    /// <summary>What messages and metrics call the device.</summary>
    public string Name { get; }

    public TimeProvider TimeProvider { get; }

    public FuseMetrics Metrics { get; }

    public FuseRequestPool Requests { get; }

    public FuseRequestHandler Handler { get; }

    /// <summary>The counters of every worker that was started.</summary>
    public IEnumerable<FuseCounters> Counters
    {
        get
        {
            lock (_workers)
            {
                return _workers.ConvertAll(static worker => worker.Counters);
            }
        }
    }

    /// <summary>Completes when the kernel sends nothing any more; fails when that was not by an unmount.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Completes when no store works on a request any more and every descriptor is closed.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Whether the store sits on so many overdue requests that it gets no more of them.</summary>
    public bool IsOverloaded => Volatile.Read(ref _overdue) >= _options.MaxBackground;

    /// <summary>Opens the first descriptor; it must exist when the file is mounted.</summary>
    public int OpenDevice()
    {
        FileDescriptor device = FileDescriptor.Open("/dev/fuse", LibC.O_RDWR);
        _devices.Add(device);
        return device.Value;
    }

    /// <summary>Answers the kernel's first message. Called once, after the mount and before any worker.</summary>
    public unsafe void Negotiate()
    {
        using NativeBuffer buffer = new(FuseConstants.BufferSize);
        int device = _devices[0].Value;
        int length;
        do
        {
            length = (int)(long)LibC.read(device, buffer.Pointer, FuseConstants.BufferSize);
        }
        while (length < 0 && LibC.errno == LibC.EINTR);
        if (length < 0)
        {
            throw KernelError.Create(LibC.errno, "The kernel's first message cannot be read from /dev/fuse");
        }

        FuseInHeader header = *(FuseInHeader*)buffer.Pointer;
        FuseInitIn offer = *(FuseInitIn*)(buffer.Pointer + sizeof(FuseInHeader));
        if (header.Opcode != FuseOpcode.Init
            || offer.Major != FuseConstants.ProtocolMajor
            || offer.Minor < FuseConstants.OldestProtocolMinor)
        {
            throw new IOException(
                $"The kernel speaks FUSE {offer.Major}.{offer.Minor} (first message {header.Opcode}); 7.31 or later is needed.");
        }

        FuseInitFlags agreed = offer.Flags & FuseInitFlags.Wanted;
        int transferSize = agreed.HasFlag(FuseInitFlags.MaxPages) ? FuseConstants.MaxTransferSize : FuseConstants.SmallTransferSize;
        *(FuseOutHeader*)buffer.Pointer = new FuseOutHeader
        {
            Length = (uint)(sizeof(FuseOutHeader) + sizeof(FuseInitOut)),
            Unique = header.Unique,
        };
        *(FuseInitOut*)(buffer.Pointer + sizeof(FuseOutHeader)) = new FuseInitOut
        {
            Major = FuseConstants.ProtocolMajor,
            Minor = Math.Min(offer.Minor, FuseConstants.ProtocolMinor),
            MaxReadahead = offer.MaxReadahead,
            Flags = agreed,
            MaxBackground = (ushort)_options.MaxBackground,
            CongestionThreshold = (ushort)(_options.MaxBackground * 3 / 4),
            MaxWrite = (uint)transferSize,
            TimeGranularity = 1,
            MaxPages = (ushort)(transferSize / 4096),
        };
        if ((long)LibC.write(device, buffer.Pointer, sizeof(FuseOutHeader) + sizeof(FuseInitOut)) < 0)
        {
            throw KernelError.Create(LibC.errno, "The kernel refused the answer to its first message");
        }
    }

    /// <summary>Starts the worker on the first descriptor, and the watchdog.</summary>
    public void StartFirstWorker()
    {
        StartWorker(_devices[0]);
        if (_options.RequestTimeout is TimeSpan timeout)
        {
            // The watch is coarse on purpose: a timer for every request would cost more than the request.
            TimeSpan period = TimeSpan.FromTicks(
                Math.Clamp(timeout.Ticks / 8, s_shortestWatch.Ticks, s_longestWatch.Ticks));
            _watchdog = TimeProvider.CreateTimer(
                static state => ((FuseConnection)state!).ExpireRequests(), this, period, period);
        }
    }

    /// <summary>Starts the other workers, each on a descriptor of its own, which is cheaper than sharing one.</summary>
    public unsafe void StartOtherWorkers()
    {
        int first = _devices[0].Value;
        for (int i = 1; i < _options.Workers; i++)
        {
            FileDescriptor device = FileDescriptor.Open("/dev/fuse", LibC.O_RDWR);
            _devices.Add(device);
            if (LibC.ioctl(device.Value, unchecked((int)FuseConstants.CloneIoctl), &first) < 0)
            {
                throw KernelError.Create(LibC.errno, "A descriptor of /dev/fuse cannot be cloned");
            }

            StartWorker(device);
        }
    }

    /// <summary>Lets the descriptors be closed once the workers and the store are done with them.</summary>
    /// <remarks>Calling it again does nothing.</remarks>
    public void ReleaseOpener()
    {
        if (Interlocked.Exchange(ref _openerReleased, 1) == 0)
        {
            ReleaseReference();
        }
    }

    public void AddReference() => Interlocked.Increment(ref _references);

    public void ReleaseReference()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _devices.ForEach(static device => device.Dispose());
            _drained.TrySetResult();
        }
    }

    public void AddOverdue() => Interlocked.Increment(ref _overdue);

    public void RemoveOverdue() => Interlocked.Decrement(ref _overdue);

    /// <summary>Called by a worker as the last thing it does.</summary>
    public void WorkerEnded(Exception? failure)
    {
        if (failure is not null)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            if (failure is not FuseAbortedException)
            {
                FuseLog.WorkerFailed(_logger, Name, failure);
            }
        }

        if (Interlocked.Decrement(ref _runningWorkers) == 0)
        {
            _watchdog?.Dispose();
            Requests.Close();
            End();
        }

        ReleaseReference();
    }

    private void StartWorker(FileDescriptor device)
    {
        FuseWorker worker;
        lock (_workers)
        {
            worker = new FuseWorker(this, device, _workers.Count);
            _workers.Add(worker);
        }

        AddReference();
        Interlocked.Increment(ref _runningWorkers);
        try
        {
            worker.Start();
        }
        catch
        {
            WorkerEnded(null);
            throw;
        }
    }

    private void End()
    {
        switch (_failure)
        {
            case null:
                _completion.TrySetResult();
                break;
            case FuseAbortedException:
                _completion.TrySetException(new IOException($"The FUSE connection of '{Name}' was aborted.", LibC.ECONNABORTED));
                break;
            default:
                _completion.TrySetException(new IOException($"The FUSE connection of '{Name}' failed: {_failure.Message}", _failure));
                break;
        }

        // Nobody need look at it: a device that was detached by force ends this way on purpose.
        _ = _completion.Task.Exception;
    }

    private void ExpireRequests() => Requests.Expire(TimeProvider.GetTimestamp(), _options.RequestTimeout.GetValueOrDefault());
}
