// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Tcmu.Ring;

namespace OverlayBd.Tcmu.Tests;

/// <summary>Devices that come and go while their rings are read, on several processors at once.</summary>
public sealed class RingPollerTests
{
    private const byte Read16 = 0x88;

    [Fact]
    public async Task RungDevice_IsRead_UntilItIsRemoved()
    {
        using var poller = new RingPoller(0, static _ => { });
        var ring = new SimulatedRing(polled: true);
        TcmuDevice device = Create(ring, new ScriptedStore(64 * 512));
        poller.Add(device);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ring.Ring();
        await UntilAsync(() => device.IsDrained);
        Assert.Single(ring.Take());
        poller.Remove(device);
        ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ring.Ring();
        Assert.False(device.IsDrained);
        await device.CloseAsync();
    }

    [Fact]
    public async Task BrokenDevice_IsReportedOnce_AndTheOthersAreServed()
    {
        var gone = new List<TcmuDevice>();
        using var poller = new RingPoller(0, gone.Add);
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
        poller.Remove(first);
        poller.Remove(second);
        await first.CloseAsync();
        await second.CloseAsync();
    }

    [Fact]
    public async Task DevicesThatGoWhileTheyAreRead_AreNeverTouchedAgain()
    {
        // Descriptors are used again at once by the next device, perhaps of the other poller; a late access to a mapping ends the process.
        using var one = new RingPoller(0, static _ => { });
        using var two = new RingPoller(1, static _ => { });
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

                poller.Remove(device);
                await device.CloseAsync();
                Assert.True(ring.IsDisposed);
                Assert.Equal(0, device.Statistics.InFlight);
            }
        });
        Assert.True(completed > 0);
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
