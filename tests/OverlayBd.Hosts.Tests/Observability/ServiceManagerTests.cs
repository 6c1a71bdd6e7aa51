// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using backstore::OverlayBd.Daemons;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed class ServiceManagerTests : IAsyncDisposable
{
    private readonly ObservedServer _server = new();
    private readonly FakeTimeProvider _time = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_TellsItsStartAndItsEnd(bool isAbstract)
    {
        using NotifySocket socket = Listen(isAbstract);
        _server.Devices = new FixedDevices();
        await StartAsync(socket, watchdog: null);
        Assert.Equal("READY=1\nSTATUS=Serving 0 devices", await socket.ReceiveAsync());
        await _server.StopAsync();
        Assert.StartsWith("STOPPING=1\n", await socket.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watchdog_IsFedAtHalfItsInterval()
    {
        using NotifySocket socket = Listen(isAbstract: false);
        await StartAsync(socket, TimeSpan.FromSeconds(4));
        Assert.Equal("READY=1\nSTATUS=Serving", await socket.ReceiveAsync());
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("WATCHDOG=1", await socket.ReceiveAsync());
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("WATCHDOG=1", await socket.ReceiveAsync());
    }

    [Fact]
    public async Task Status_FollowsTheDevices_WithoutAWatchdog()
    {
        using NotifySocket socket = Listen(isAbstract: false);
        FixedDevices devices = new();
        _server.Devices = devices;
        await StartAsync(socket, watchdog: null);
        await socket.ReceiveAsync();
        devices.Devices = [new() { Id = "a", Source = "a", FrontEnd = "fuse", Size = 1 }];
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("STATUS=Serving 1 device", await socket.ReceiveAsync());
    }

    [Fact]
    public async Task Application_MaySayItselfWhenItIsReady()
    {
        using NotifySocket socket = Listen(isAbstract: false);
        _server.Settings = _server.Settings with { ReadyWhenStarted = false };
        await StartAsync(socket, watchdog: null);
        _server.Services.GetRequiredService<ServiceNotifier>().Ready("Took 3 devices over");
        Assert.Equal("READY=1\nSTATUS=Took 3 devices over", await socket.ReceiveAsync());
    }

    [Theory]
    [InlineData("@overlaybd-nobody-listens-here")]
    [InlineData("/nonexistent/notify")]
    [InlineData("/a/path/that/is/much/too/long/for/a/socket/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task DeadSocket_DisturbsNobody(string name)
    {
        _server.Settings = _server.Settings with { Systemd = new(name, TimeSpan.FromSeconds(1)), TimeProvider = _time };
        await _server.StartAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _server.StopAsync();
        Assert.Contains("The service manager cannot be told READY=1", await File.ReadAllTextAsync(_server.LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServiceManager_ThatReadsNothing_HoldsNothingUp()
    {
        using NotifySocket socket = new(_server["notify"], isDeaf: true);
        await StartAsync(socket, TimeSpan.FromSeconds(2));
        ServiceNotifier notifier = _server.Services.GetRequiredService<ServiceNotifier>();

        // The kernel queues a few; the one that finds no place is given up.
        for (int i = 0; !(await File.ReadAllTextAsync(_server.LogPath)).Contains("cannot be told STATUS=", StringComparison.Ordinal); i++)
        {
            Assert.InRange(i, 0, 1000);
            notifier.Status($"{i}");
        }
    }

    private NotifySocket Listen(bool isAbstract) => new(isAbstract ? "@overlaybd-test-" + Guid.NewGuid().ToString("N") : _server["notify"]);

    private Task StartAsync(NotifySocket socket, TimeSpan? watchdog)
    {
        _server.Settings = _server.Settings with { Systemd = new(socket.Name, watchdog), TimeProvider = _time };
        return _server.StartAsync();
    }
}
