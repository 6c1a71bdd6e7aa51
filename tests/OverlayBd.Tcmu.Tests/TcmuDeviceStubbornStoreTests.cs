// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace OverlayBd.Tcmu.Tests;

/// <summary>A store that heeds no cancellation holds up nobody, and whatever it still writes, it writes to memory that is its own.</summary>
public sealed class TcmuDeviceStubbornStoreTests
{
    private const byte Read16 = 0x88;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly ScriptedStore _store = new(1024 * 512);
    private readonly SimulatedRing _ring = new();
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _gate = new();
    private readonly TcmuDevice _device;

    public TcmuDeviceStubbornStoreTests()
    {
        _device = new TcmuDevice(
            new TcmuDeviceInfo(0, 1, "dev_1", "overlaybd", "x"), _ring, _store, new TcmuHandlerOptions(), _time, NullLogger.Instance);
        _store.OnRead = (offset, _) => offset == 0 ? new ValueTask(_gate.Task) : default;
    }

    [Fact]
    public async Task OverdueRead_IsAnsweredWithoutItsStore_AndItsDataIsKept()
    {
        ushort id = _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.True(_device.ReadRing());
        _time.Advance(s_limit + TimeSpan.FromMilliseconds(1));
        _device.AbandonOverdue(s_limit);
        Assert.Empty(_ring.Take()); // the store may still heed it
        _time.Advance(TimeSpan.FromSeconds(2));
        _device.AbandonOverdue(s_limit);

        SimulatedResponse response = Assert.Single(_ring.Take());
        Assert.Equal(id, response.Id);
        Assert.Equal((2, 0x0400), response.Error);
        Assert.Equal([id], _ring.Kept);
        Assert.Equal(1, _device.Statistics.Hung);
        Assert.Equal(1, _device.Statistics.InFlight);

        _gate.SetResult();
        await UntilAsync(() => _device.Statistics.InFlight == 0);
        Assert.Empty(_ring.Kept);
        Assert.Equal(16, _ring.FreeSlots);
        Assert.Empty(_ring.Take());
        await _device.CloseAsync();
        Assert.True(_ring.IsDisposed);
    }

    [Fact]
    public async Task Close_EndsWithoutTheStore_AndTheMappingStaysUntilItLetsGo()
    {
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.True(_device.ReadRing());
        Task closing = _device.CloseAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));
        await closing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal(8, Assert.Single(_ring.Take()).Status);
        Assert.False(_ring.IsDisposed);
        _gate.SetResult();
        await UntilAsync(() => _ring.IsDisposed);
        Assert.Empty(_ring.Kept);
    }

    [Fact]
    public async Task Close_OfAKernelThatKeepsNoData_WaitsForTheStore()
    {
        var ring = new SimulatedRing(keepsBuffers: false);
        var device = new TcmuDevice(
            new TcmuDeviceInfo(0, 1, "dev_1", "overlaybd", "x"), ring, _store, new TcmuHandlerOptions(), _time, NullLogger.Instance);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.True(device.ReadRing());
        _time.Advance(s_limit * 2);
        device.AbandonOverdue(s_limit);
        _time.Advance(s_limit);
        device.AbandonOverdue(s_limit);
        Assert.Empty(ring.Take());
        Task closing = device.CloseAsync().AsTask();
        _time.Advance(s_limit);
        Assert.False(closing.IsCompleted);
        _gate.SetResult();
        await closing;
        Assert.True(ring.IsDisposed);
        Assert.Equal(0, Assert.Single(ring.Take()).Status); // its data was there after all
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Yield();
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
