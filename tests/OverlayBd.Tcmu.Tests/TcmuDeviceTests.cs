// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OverlayBd.Testing;

namespace OverlayBd.Tcmu.Tests;

public sealed class TcmuDeviceTests : IAsyncDisposable
{
    private const int Blocks = 2048;
    private const byte Read16 = 0x88;
    private const byte Write16 = 0x8A;
    private readonly ScriptedStore _store = new(Blocks * 512);
    private readonly SimulatedRing _ring = new();
    private readonly FakeTimeProvider _time = new();
    private TcmuDevice? _device;

    public TcmuDeviceTests() => new Random(5).NextBytes(_store.Content);

    private TcmuDevice Device => _device ??= new TcmuDevice(
        new TcmuDeviceInfo(0, 1, "dev_1", "overlaybd", "x"), _ring, _store, new TcmuHandlerOptions(), _time, NullLogger.Instance);

    public async ValueTask DisposeAsync()
    {
        if (_device is not null)
        {
            await _device.CloseAsync();
        }
    }

    [Fact]
    public void Read_ReturnsTheBytes_AlsoInPieces()
    {
        foreach (int pieces in new[] { 1, 2, 4, 8 })
        {
            _ring.Submit(SimulatedRing.Cdb16(Read16, 10, 16), 16 * 512, pieces: pieces);
            SimulatedResponse response = Assert.Single(Run());
            Assert.Equal(0, response.Status);
            Assert.Equal(_store.Content.AsSpan(10 * 512, 16 * 512).ToArray(), response.Data);
        }
    }

    [Theory]
    [InlineData(2048ul, 1u)]
    [InlineData(2047ul, 2u)]
    [InlineData(ulong.MaxValue, 1u)]
    [InlineData(0ul, 4096u)]
    public void Access_BeyondTheEnd_IsRefused(ulong block, uint count)
    {
        foreach (byte opcode in new[] { Read16, Write16, (byte)0x93 })
        {
            _ring.Submit(SimulatedRing.Cdb16(opcode, block, count, (byte)(opcode == 0x93 ? 8 : 0)), 4096);
            Assert.Equal((5, 0x2100), Assert.Single(Run()).Error);
        }
    }

    [Fact]
    public void Write_StoresTheBytes_AndForcedOnesAreFlushed()
    {
        byte[] data = new byte[4096];
        new Random(1).NextBytes(data);
        _ring.Submit(SimulatedRing.Cdb16(Write16, 8, 8), data.Length, data, pieces: 2);
        Assert.Equal(0, Assert.Single(Run()).Status);
        Assert.Equal(data, _store.Content.AsSpan(4096, 4096).ToArray());
        Assert.Equal(0, _store.Flushes);
        _ring.Submit(SimulatedRing.Cdb16(Write16, 8, 8, flags: 8), data.Length, data);
        Run();
        Assert.Equal(1, _store.Flushes);
        _ring.Submit(SimulatedRing.Cdb16(0x91, 0, 0), 0);
        Run();
        Assert.Equal(2, _store.Flushes);
    }

    [Fact]
    public void Write_OnAReadOnlyStore_SaysWriteProtected()
    {
        _store.ReadOnly = true;
        _ring.Submit(SimulatedRing.Cdb16(Write16, 8, 8), 4096);
        Assert.Equal((7, 0x2700), Assert.Single(Run()).Error);
    }

    [Fact]
    public void Unmap_AndWriteSame_MakeZeros()
    {
        byte[] list = new byte[8 + 32];
        BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), 32);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), 16);
        BinaryPrimitives.WriteUInt32BigEndian(list.AsSpan(16), 8);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(24), 64);
        BinaryPrimitives.WriteUInt32BigEndian(list.AsSpan(32), 1);
        byte[] cdb = [0x42, 0, 0, 0, 0, 0, 0, 0, (byte)list.Length, 0];
        _ring.Submit(cdb, list.Length, list);
        Assert.Equal(0, Assert.Single(Run()).Status);
        Assert.False(_store.Content.AsSpan(16 * 512, 8 * 512).ContainsAnyExcept((byte)0));
        Assert.False(_store.Content.AsSpan(64 * 512, 512).ContainsAnyExcept((byte)0));
        Assert.True(_store.Content.AsSpan(65 * 512, 512).ContainsAnyExcept((byte)0));

        _ring.Submit(SimulatedRing.Cdb16(0x93, 100, 4, flags: 8), 512, new byte[512]);
        Assert.Equal(0, Assert.Single(Run()).Status);
        Assert.False(_store.Content.AsSpan(100 * 512, 4 * 512).ContainsAnyExcept((byte)0));

        byte[] pattern = [.. Enumerable.Repeat((byte)7, 512)];
        foreach (byte flags in new byte[] { 0, 8 }) // the bit to unmap only permits it where zeros were asked for
        {
            _ring.Submit(SimulatedRing.Cdb16(0x93, 200u + flags, 4, flags), 512, pattern);
            Assert.Equal(0, Assert.Single(Run()).Status);
            Assert.False(_store.Content.AsSpan((200 + flags) * 512, 4 * 512).ContainsAnyExcept((byte)7));
        }
    }

    [Fact]
    public void StoreError_BecomesAnErrorOfTheCommand_AndTheDeviceGoesOn()
    {
        _store.OnRead = (offset, _) => offset == 0 ? throw new InvalidDataException("damaged") : default;
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        _ring.Submit(SimulatedRing.Cdb16(Read16, 8, 8), 4096);
        List<SimulatedResponse> responses = Run();
        Assert.Equal((2, 0x0400), responses[0].Error);
        Assert.Equal(0, responses[1].Status);
        Assert.Equal(1, Device.Statistics.Errors);
        _store.WriteFailure = new IOException("full");
        _ring.Submit(SimulatedRing.Cdb16(Write16, 8, 8), 4096);
        Assert.Equal((3, 0x0C00), Assert.Single(Run()).Error);
    }

    [Fact]
    public void Commands_ThatComeWhileTheBellIsRung_AreAnsweredAtOnce_ButNotWithoutEnd()
    {
        _ring.OnDoorbell = () =>
        {
            _ring.Take();
            _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        };
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        _ring.Submit(SimulatedRing.Cdb16(Read16, 8, 8), 4096);
        Assert.True(Device.ReadRing());
        Assert.Equal((8, 9), (_ring.Doorbells, Device.Statistics.Reads));
        Assert.False(Device.IsDrained); // other devices come first; the bell was rung for this one
    }

    [Fact]
    public async Task WaitingRead_HoldsUpNoOther_AndEndsLater()
    {
        var gate = new TaskCompletionSource();
        _store.OnRead = (offset, _) => offset == 0 ? new ValueTask(gate.Task) : default;
        ushort slow = _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        ushort fast = _ring.Submit(SimulatedRing.Cdb16(Read16, 8, 8), 4096);
        Assert.Equal(fast, Assert.Single(Run()).Id);
        Assert.Equal(1, Device.Statistics.InFlight);
        gate.SetResult();
        SimulatedResponse last = Assert.Single(await NextAsync());
        Assert.Equal(slow, last.Id);
        Assert.Equal(_store.Content.AsSpan(0, 4096).ToArray(), last.Data);
    }

    [Fact]
    public async Task WaitingRead_PastItsTime_FailsAndIsCountedAsHung()
    {
        _store.OnRead = (_, token) => new ValueTask(Task.Delay(Timeout.Infinite, token));
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.Empty(Run());
        Device.AbandonOverdue(TimeSpan.FromSeconds(60));
        Assert.Equal(0, Device.Statistics.Hung);
        _time.Advance(TimeSpan.FromSeconds(61));
        Device.AbandonOverdue(TimeSpan.FromSeconds(60));
        Assert.Equal((2, 0x0400), Assert.Single(await NextAsync()).Error);
        Assert.Equal(1, Device.Statistics.Hung);
        _store.OnRead = null;
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.Equal(0, Assert.Single(Run()).Status);
    }

    [Fact]
    public async Task Close_SendsWhatWaitsBackToTheInitiator()
    {
        _store.OnRead = (_, token) => new ValueTask(Task.Delay(Timeout.Infinite, token));
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        Assert.Empty(Run());
        await Device.CloseAsync();
        Assert.Equal(8, Assert.Single(_ring.Take()).Status); // BUSY: it is repeated to the next handler
        Assert.False(Device.ReadRing());
        Assert.True(_ring.IsDisposed);
    }

    [Fact]
    public async Task ManyCommands_OutOfOrder_GoRoundTheRingManyTimes()
    {
        var random = new Random(3);
        var waiting = new List<TaskCompletionSource>();
        _store.OnRead = (_, _) =>
        {
            if (random.Next(3) != 0)
            {
                return default;
            }

            var gate = new TaskCompletionSource(); // continues where it is set: the order stays this test's
            waiting.Add(gate);
            return new ValueTask(gate.Task);
        };
        int done = 0;
        for (int i = 0; i < 20_000; i++)
        {
            while (_ring.FreeSlots > 0 && random.Next(4) != 0)
            {
                int block = random.Next(Blocks - 8);
                _ring.Submit(SimulatedRing.Cdb16(Read16, (ulong)block, 8), 4096, pieces: 1 + random.Next(4));
            }

            Device.ReadRing();
            while (waiting.Count > 0 && random.Next(3) != 0)
            {
                int which = random.Next(waiting.Count);
                TaskCompletionSource gate = waiting[which];
                waiting.RemoveAt(which);
                gate.SetResult();
            }

            done += _ring.Take().Count(response => response.Status == 0);
        }

        _store.OnRead = null;
        waiting.ForEach(gate => gate.SetResult());
        await Device.CloseAsync();
        done += _ring.Take().Count;
        Assert.Equal(16, _ring.FreeSlots);
        Assert.True(done > 20_000);
    }

    [Theory]
    [InlineData(48, -1L)] // data that begins at the end of the mapping
    [InlineData(48, 0L)] // data in the mailbox
    [InlineData(48, (long)SimulatedRing.RingOffset)] // data in the ring
    [InlineData(56, long.MaxValue)] // data without end
    [InlineData(24, -1L)] // the command itself outside
    [InlineData(8, 1000L)] // more pieces than the entry can hold
    [InlineData(0, 1L)] // an entry without length
    public unsafe void MalformedEntry_StopsTheDevice_AndNothingElse(int at, long value)
    {
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 8), 4096);
        *(ulong*)(_ring.Map + SimulatedRing.RingOffset + at) = (ulong)(value == -1 ? _ring.Length : value);
        Assert.False(Device.ReadRing());
        Assert.True(Device.IsGone);
        Assert.False(Device.ReadRing());
    }

    [Theory]
    [InlineData(Read16)]
    [InlineData(Write16)]
    [InlineData(0x91)] // SYNCHRONIZE CACHE
    public void Requests_InSteadyState_AllocateNothing(byte opcode)
    {
        byte[] cdb = SimulatedRing.Cdb16(opcode, 0, 8);
        AllocatedBy(cdb, 1000); // warms up
        Assert.Equal(0, AllocatedBy(cdb, 5000));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long AllocatedBy(byte[] cdb, int count)
    {
        long allocated = 0;
        for (int i = 0; i < count; i++)
        {
            _ring.Submit(cdb, 4096, pieces: 1 + (i % 4));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Device.ReadRing();
            Device.AbandonOverdue(TimeSpan.FromSeconds(60)); // what looks after a device costs nothing either
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            _ring.Take();
        }

        return allocated;
    }

    private List<SimulatedResponse> Run()
    {
        Assert.True(Device.ReadRing());
        return _ring.Take();
    }

    private async Task<List<SimulatedResponse>> NextAsync()
    {
        List<SimulatedResponse> responses = [];
        await Eventually.TrueAsync(() => (responses = _ring.Take()).Count > 0, "a response");
        return responses;
    }
}
