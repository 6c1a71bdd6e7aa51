// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Tcmu.Netlink;

namespace OverlayBd.Tcmu.Tests;

/// <summary>What changes on a disk in use, and how several parts of one command go together.</summary>
public sealed class TcmuDeviceChangeTests : IAsyncDisposable
{
    private const byte Read16 = 0x88;
    private const byte Write16 = 0x8A;
    private static readonly byte[] s_testUnitReady = new byte[6];
    private static readonly byte[] s_readCapacity = [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
    private readonly ScriptedStore _store = new(1024 * 512);
    private readonly SimulatedRing _ring = new();
    private readonly TcmuDevice _device;

    public TcmuDeviceChangeTests()
    {
        new Random(5).NextBytes(_store.Content);
        _device = Create(_ring, _store);
    }

    public ValueTask DisposeAsync() => _device.CloseAsync();

    [Fact]
    public async Task Resize_TellsTheInitiatorOnce_AndThenTheNewCapacity()
    {
        await _device.ResizeAsync(2048 * 512);
        _ring.Submit([0x12, 0, 0, 0, 36, 0], 36);
        Assert.Equal(0, Assert.Single(Run()).Status); // an inquiry never reports it
        _ring.Submit(s_testUnitReady, 0);
        Assert.Equal((6, 0x2A09), Assert.Single(Run()).Error);
        _ring.Submit(s_testUnitReady, 0);
        Assert.Equal(0, Assert.Single(Run()).Status);
        _ring.Submit(s_readCapacity, 32);
        Assert.Equal(2047ul, BinaryPrimitives.ReadUInt64BigEndian(Assert.Single(Run()).Data));
        _ring.Submit(SimulatedRing.Cdb16(Read16, 2040, 8), 4096);
        Assert.Equal(0, Assert.Single(Run()).Status);
    }

    [Fact]
    public async Task Resize_ThatCannotBe_IsRefused()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _device.ResizeAsync(512));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => _device.ResizeAsync(2048 * 512 + 1));
        _store.ResizeFailure = new IOException("no space");
        await Assert.ThrowsAsync<IOException>(() => _device.ResizeAsync(2048 * 512));
        _ring.Submit(s_testUnitReady, 0);
        Assert.Equal(0, Assert.Single(Run()).Status);
    }

    [Theory]
    [InlineData(2048 * 512L, 0)]
    [InlineData(1024 * 512L, 0)]
    [InlineData(512L, -22)]
    [InlineData(2048 * 512L + 1, -22)]
    public async Task ReconfiguredSize_ResizesTheStore(long size, int answer)
    {
        var change = new TcmuNetlinkEvent(TcmuCommandKind.Reconfigured, 0, 1, Size: size);
        Assert.Equal(answer, await _device.ReconfigureAsync(change, TestContext.Current.CancellationToken));
        Assert.Equal(answer == 0 ? size : 1024 * 512, _store.Length);
    }

    [Fact]
    public async Task ReconfiguredWriteCache_ChangesWhatAWriteMeans()
    {
        var off = new TcmuNetlinkEvent(TcmuCommandKind.Reconfigured, 0, 1, WriteCache: false);
        Assert.Equal(0, await _device.ReconfigureAsync(off, TestContext.Current.CancellationToken));
        Assert.Equal(1, _store.Flushes); // what was written before is durable now
        Assert.False(_device.WriteCache);
        _ring.Submit(s_testUnitReady, 0);
        Assert.Equal((6, 0x2A01), Assert.Single(Run()).Error);
        _ring.Submit(SimulatedRing.Cdb16(Write16, 0, 8), 4096);
        Run();
        Assert.Equal(2, _store.Flushes);
        _ring.Submit([0x1A, 0, 0x08, 0, 24, 0], 24);
        Assert.Equal(0, Assert.Single(Run()).Data[4 + 2] & 4);
    }

    [Fact]
    public async Task ReconfiguredConfiguration_IsNotSupported() =>
        Assert.Equal(-95, await _device.ReconfigureAsync(new TcmuNetlinkEvent(TcmuCommandKind.Reconfigured, 0, 1), TestContext.Current.CancellationToken));

    [Fact]
    public void PiecesOfARead_AreReadSideBySide_AndTheCommandEndsWithTheLast()
    {
        var gates = new List<(long Offset, TaskCompletionSource Gate)>();
        _store.OnRead = (offset, _) =>
        {
            gates.Add((offset, new TaskCompletionSource()));
            return new ValueTask(gates[^1].Gate.Task);
        };
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 16), 8192, pieces: 8);
        Assert.Empty(Run());
        Assert.Equal(Enumerable.Range(0, 8).Select(static i => i * 1024L), gates.Select(static each => each.Offset));
        for (int i = 7; i >= 0; i--)
        {
            Assert.Empty(_ring.Take());
            gates[i].Gate.SetResult();
        }

        Assert.Equal(_store.Content.AsSpan(0, 8192).ToArray(), Assert.Single(_ring.Take()).Data);
    }

    [Fact]
    public void FailedPieceOfARead_FailsTheCommand_OnceNoOtherPieceIsBeingRead()
    {
        var gate = new TaskCompletionSource();
        _store.OnRead = (offset, _) => offset == 0 ? new ValueTask(gate.Task) : throw new IOException("gone");
        _ring.Submit(SimulatedRing.Cdb16(Read16, 0, 16), 8192, pieces: 4);
        Assert.Empty(Run());
        gate.SetResult();
        Assert.Equal((2, 0x0400), Assert.Single(_ring.Take()).Error);
        Assert.Equal(1, _device.Statistics.Errors);
    }

    [Fact]
    public void FullStore_IsNoSpace_NotADamagedMedium()
    {
        _store.WriteFailure = new IOException("No space left on device", 28);
        _ring.Submit(SimulatedRing.Cdb16(Write16, 0, 8), 4096);
        Assert.Equal((7, 0x2707), Assert.Single(Run()).Error);
    }

    [Theory]
    [InlineData(0x00, 0, 0x0000)] // GOOD, or the sense key and code below
    [InlineData(0x1B, 0, 0x0000)]
    [InlineData(0x1E, 0, 0x0000)]
    [InlineData(0x4D, 5, 0x2000)] // LOG SENSE
    [InlineData(0x5E, 5, 0x2000)] // PERSISTENT RESERVE IN
    [InlineData(0x5F, 5, 0x2000)]
    [InlineData(0x89, 5, 0x2000)] // COMPARE AND WRITE
    [InlineData(0x9F, 5, 0x2000)]
    public void OtherCommands_HaveTheRightAnswer(byte opcode, int key, int code)
    {
        _ring.Submit([opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0);
        SimulatedResponse response = Assert.Single(Run());
        Assert.Equal(key == 0 ? 0 : 2, response.Status);
        Assert.Equal((key, code), key == 0 ? (0, 0) : response.Error);
    }

    [Theory]
    [InlineData(0x2F)]
    [InlineData(0x8F)]
    [InlineData(0xAF)]
    public void Verify_ChecksTheRange_AndComparesNothing(byte opcode)
    {
        byte[] cdb = new byte[16];
        cdb[0] = opcode;
        _ring.Submit(cdb, 0);
        Assert.Equal(0, Assert.Single(Run()).Status);
        cdb[2] = 0x10; // far beyond the end
        _ring.Submit(cdb, 0);
        Assert.Equal((5, 0x2100), Assert.Single(Run()).Error);
        cdb[2] = 0;
        cdb[1] = 2; // compare with what is sent
        _ring.Submit(cdb, 0);
        Assert.Equal((5, 0x2400), Assert.Single(Run()).Error);
    }

    [Fact]
    public async Task AnyCommand_OfAnyBytes_IsAnswered()
    {
        var random = new Random(4);
        byte[] cdb = new byte[16];
        byte[] data = new byte[4096];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(cdb);
            random.NextBytes(data);
            cdb[0] = (byte)i;
            _ring.Submit(cdb, random.Next(2) * random.Next(1, 4096), data, pieces: 1 + random.Next(3));
            Assert.Single(Run());
        }

        await _device.CloseAsync();
    }

    [Fact]
    public async Task Durations_AreRecordedWithoutAllocation()
    {
        using var metrics = new TcmuMetrics(static () => default, static () => 0);
        using var listener = new MeterListener();
        int recorded = 0;
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == TcmuHandler.MeterName && instrument.Name == "overlaybd.tcmu.request.duration")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => recorded++);
        listener.Start();
        var ring = new SimulatedRing();
        TcmuDevice device = Create(ring, _store, metrics);
        byte[] cdb = SimulatedRing.Cdb16(Read16, 0, 8);
        long allocated = 0;
        for (int i = 0; i < 6000; i++)
        {
            ring.Submit(cdb, 4096);
            long before = GC.GetAllocatedBytesForCurrentThread();
            device.ReadRing();
            allocated += i < 1000 ? 0 : GC.GetAllocatedBytesForCurrentThread() - before;
            ring.Take();
        }

        Assert.Equal(6000, recorded);
        Assert.True(allocated < 1024);
        await device.CloseAsync();
    }

    private static TcmuDevice Create(SimulatedRing ring, ScriptedStore store, TcmuMetrics? metrics = null) => new(
        new TcmuDeviceInfo(0, 1, "dev_1", "overlaybd", "x"), ring, store, new TcmuHandlerOptions(), TimeProvider.System, NullLogger.Instance, metrics);

    private List<SimulatedResponse> Run()
    {
        Assert.True(_device.ReadRing());
        return _ring.Take();
    }
}
