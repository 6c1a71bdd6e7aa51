// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Tcmu.Ring;

namespace OverlayBd.Tcmu.Tests;

/// <summary>Devices that come and go while their rings are read, on several processors at once.</summary>
public sealed class RingPollerTests
{
    private const byte Read16 = 0x88;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RungDevice_IsRead_UntilItIsRemoved(bool ioUring)
    {
        using RingPoller poller = Start(ioUring, static _ => { });
        var ring = new SimulatedRing(polled: true);
        TcmuDevice device = Create(ring, new ScriptedStore(64 * 512));
        poller.Add(device);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ring.Ring();
        await UntilAsync(() => device.IsDrained);
        Assert.Single(ring.Take());
        await poller.RemoveAsync(device);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ring.Ring();
        Assert.False(device.IsDrained);
        await device.CloseAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BrokenDevice_IsReportedOnce_AndTheOthersAreServed(bool ioUring)
    {
        var gone = new List<TcmuDevice>();
        using RingPoller poller = Start(ioUring, gone.Add);
        var broken = new SimulatedRing(polled: true);
        var sound = new SimulatedRing(polled: true);
        TcmuDevice first = Create(broken, new ScriptedStore(64 * 512));
        TcmuDevice second = Create(sound, new ScriptedStore(64 * 512));
        poller.Add(first);
        poller.Add(second);
        broken.Head = 8; // an entry without length
        broken.Ring();
        await UntilAsync(() => first.IsGone);
        sound.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        sound.Ring();
        await UntilAsync(() => second.IsDrained);
        Assert.Equal([first], gone);
        await poller.RemoveAsync(first);
        await poller.RemoveAsync(second);
        await first.CloseAsync();
        await second.CloseAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DevicesThatGoWhileTheyAreRead_AreNeverTouchedAgain(bool ioUring)
    {
        // Descriptors are used again at once by the next device, perhaps of the other poller; a late access to a mapping ends the process.
        using RingPoller one = Start(ioUring, static _ => { });
        using RingPoller two = Start(ioUring, static _ => { });
        int completed = 0;
        await Parallel.ForAsync(0, 8, async (lane, cancellationToken) =>
        {
            var random = new Random(lane);
            for (int round = 0; round < 150; round++)
            {
                RingPoller poller = random.Next(2) == 0 ? one : two;
                var ring = new SimulatedRing(polled: true);
                var store = new ScriptedStore(64 * 512)
                {
                    OnRead = (offset, _) => offset % 8192 == 0 ? default : new ValueTask(Task.Run(static () => { }, CancellationToken.None)),
                };
                TcmuDevice device = Create(ring, store);
                poller.Add(device);
                for (int i = 0; i < 16; i++)
                {
                    ring.Submit(SimulatedRing.Cdb16(Read16, (ulong)random.Next(7) * 8, 8), 4096, pieces: 2);
                    ring.Ring();
                }

                if (random.Next(3) == 0)
                {
                    await UntilAsync(() => device.IsDrained);
                    Interlocked.Increment(ref completed);
                }

                await poller.RemoveAsync(device);
                await device.CloseAsync();
                Assert.True(ring.IsDisposed);
                Assert.Equal(0, device.Statistics.InFlight);
            }
        });
        Assert.True(completed > 0);
    }

    [Fact]
    public async Task Bell_IsRungByTheWait_WhenNothingElseIsToBeRead()
    {
        using RingPoller poller = Start(ioUring: true, static _ => { });
        var ring = new SimulatedRing(polled: true);
        TcmuDevice device = Create(ring, new ScriptedStore(64 * 512));
        poller.Add(device);
        for (int round = 0; round < 100; round++)
        {
            ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
            ring.Ring();
            int bells = 0;
            await UntilAsync(() => (bells += ring.TakeBells()) > 0);
            Assert.Equal(1, bells);
            Assert.Single(ring.Take());
        }

        await poller.RemoveAsync(device);
        Assert.Equal(0, ring.Doorbells);
        await device.CloseAsync();
    }

    [Fact]
    public async Task Bell_IsRung_BeforeItsDeviceIsRemoved()
    {
        using RingPoller poller = Start(ioUring: true, static _ => { });
        for (int round = 0; round < 300; round++)
        {
            var ring = new SimulatedRing(polled: true);
            TcmuDevice device = Create(ring, new ScriptedStore(64 * 512));
            poller.Add(device);
            ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
            ring.Ring();
            if (round % 2 == 0)
            {
                await UntilAsync(() => device.IsDrained);
            }

            await poller.RemoveAsync(device);
            Assert.Equal(ring.Take().Count, ring.TakeBells() + ring.Doorbells);
            await device.CloseAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeviceThatIsReadWhileItIsRemoved_IsReadToTheEnd(bool ioUring)
    {
        using RingPoller poller = Start(ioUring, static _ => { });
        using var reading = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var ring = new SimulatedRing(polled: true);
        TcmuDevice device = Create(ring, new ScriptedStore(64 * 512)
        {
            OnRead = (_, _) =>
            {
                reading.Release();
                goOn.Wait(CancellationToken.None);
                return default;
            },
        });
        poller.Add(device);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ring.Ring();
        await reading.WaitAsync(TestContext.Current.CancellationToken);
        Task removed = poller.RemoveAsync(device);
        Task closed = Task.Run(
            async () =>
            {
                await removed;
                await device.CloseAsync();
            },
            CancellationToken.None);
        goOn.Release();
        await closed;
        Assert.Equal(1, device.Statistics.Reads);
        Assert.True(ring.IsDisposed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PollerThatWasStopped_HasNothingToRemove(bool ioUring)
    {
        RingPoller poller = Start(ioUring, static _ => { });
        var ring = new SimulatedRing(polled: true);
        TcmuDevice device = Create(ring, new ScriptedStore(64 * 512));
        poller.Add(device);
        poller.Dispose();
        await poller.RemoveAsync(device);
        await device.CloseAsync();
        Assert.True(ring.IsDisposed);
    }

    [Fact]
    public async Task MoreBellsThanThereIsRoomFor_AreAllHeard()
    {
        IoUringTests.SkipWithout();
        Assert.True(UringRingPoller.TryStart(0, static _ => { }, 4, 8, out UringRingPoller? poller, out IOException? why), why?.Message);
        using UringRingPoller _ = poller;
        SimulatedRing[] rings = [.. Enumerable.Range(0, 60).Select(static _ => new SimulatedRing(polled: true))];
        TcmuDevice[] devices = [.. rings.Select(static ring => Create(ring, new ScriptedStore(64 * 512)))];
        Array.ForEach(devices, poller.Add);
        for (int round = 0; round < 50; round++)
        {
            foreach (SimulatedRing ring in rings)
            {
                ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
                ring.Ring();
            }

            await UntilAsync(() => devices.All(static device => device.IsDrained));
            Assert.All(rings, static ring => Assert.Single(ring.Take()));
        }

        // Some go while their watch has ended for want of room.
        Array.ForEach(rings, static ring => ring.Ring());
        await Task.WhenAll(devices.Select(poller.RemoveAsync));
        foreach (TcmuDevice device in devices)
        {
            await device.CloseAsync();
        }

        Assert.All(rings, static ring => Assert.True(ring.IsDisposed));
    }

    private static RingPoller Start(bool ioUring, Action<TcmuDevice> gone)
    {
        if (ioUring)
        {
            IoUringTests.SkipWithout();
        }

        RingPoller poller = RingPoller.Start(0, ioUring, gone, NullLogger.Instance);
        Assert.IsType(ioUring ? typeof(UringRingPoller) : typeof(EpollRingPoller), poller);
        return poller;
    }

    private static TcmuDevice Create(SimulatedRing ring, ScriptedStore store) => new(
        new TcmuDeviceInfo(0, 1, "dev_1", "overlaybd", "x"), ring, store, new TcmuHandlerOptions(), TimeProvider.System, NullLogger.Instance);

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Yield();
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
