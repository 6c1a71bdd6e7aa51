// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>A handler in this process, and the disks that are attached to it. At its end every disk is detached.</summary>
/// <remarks>A device's configuration is the name of a store that the test has registered, else the path of a file.</remarks>
internal sealed class TcmuServer : IAsyncDisposable
{
    public const string Subtype = "vmtest";
    private static int s_lastId;
    private readonly StoreFactory _factory = new();
    private readonly TcmuHandlerOptions _options;
    private readonly List<TcmuDisk> _disks = [];
    private readonly RecordingLogger _log = new();
    private TcmuHandler? _handler;

    private TcmuServer(TcmuHandlerOptions options)
    {
        _options = options;
        options.Subtype = Subtype;
    }

    public TcmuHandler Handler => _handler ?? throw new InvalidOperationException("The handler has been stopped.");

    public StoreFactory Stores => _factory;

    /// <summary>What the handler has logged.</summary>
    public RecordingLogger Log => _log;

    public static async Task<TcmuServer> StartAsync(TcmuHandlerOptions? options = null)
    {
        var server = new TcmuServer(options ?? new TcmuHandlerOptions());
        await server.StartHandlerAsync();
        return server;
    }

    /// <summary>A target that nothing has been made of yet, with an id of its own.</summary>
    public static TcmuTarget NewTarget(TcmuTargetOptions? options = null)
    {
        options ??= new TcmuTargetOptions();
        options.Subtype = Subtype;
        return new TcmuTarget(string.Create(CultureInfo.InvariantCulture, $"vm{Interlocked.Increment(ref s_lastId)}"), options);
    }

    /// <summary>Attaches a disk of a store, which the handler then owns.</summary>
    public Task<TcmuDisk> AttachAsync(BlockStore store, TcmuTargetOptions? options = null)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"store{Interlocked.Increment(ref s_lastId)}");
        _factory[name] = _ => new(store);
        return AttachAsync(name, options);
    }

    /// <summary>Attaches a disk of a registered store, or of a file.</summary>
    public async Task<TcmuDisk> AttachAsync(string configuration, TcmuTargetOptions? options = null)
    {
        TcmuTarget target = NewTarget(options);
        string path = await target.AttachAsync(configuration).WaitAsync(TimeSpan.FromMinutes(1));
        var disk = new TcmuDisk(this, target, path);
        lock (_disks)
        {
            _disks.Add(disk);
        }

        return disk;
    }

    public TcmuDevice DeviceOf(TcmuTarget target) => Handler.Devices.Single(device => device.Info.Name == "dev_" + target.Id);

    /// <summary>Stops the handler in an orderly way; the disks stay.</summary>
    public async Task StopHandlerAsync()
    {
        if (_handler is not null)
        {
            await _handler.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
            _handler = null;
        }
    }

    public async Task StartHandlerAsync() =>
        _handler = await TcmuHandler.StartAsync(_factory, _options, _log).WaitAsync(TimeSpan.FromMinutes(1));

    public async ValueTask DisposeAsync()
    {
        if (_handler is null)
        {
            await StartHandlerAsync(); // or a detach would wait for an answer
        }

        foreach (TcmuDisk disk in _disks)
        {
            await disk.DisposeAsync();
        }

        await StopHandlerAsync();
        Assert.Empty(GuestKernel.Devices.Concat(GuestKernel.LoopbackTargets));
    }
}
