// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Trace;

namespace OverlayBd.Format.Tests.Trace;

public sealed class TraceWriterTests
{
    private static readonly TraceRecord s_record = new(TraceOperation.Read, 0, 0, 512);

    [Fact]
    public async Task Trace_ThatIsNotCompleted_IsNone()
    {
        using var output = new MemoryStream();
        var writer = new TraceWriter(output, leaveOpen: true);
        for (int i = 0; i < 5000; i++)
        {
            await writer.WriteAsync(s_record);
        }

        await writer.DisposeAsync();
        Assert.False(TraceReader.IsTrace(output.ToArray()));
    }

    [Fact]
    public async Task CompleteTrace_TakesNoMore()
    {
        await using var writer = new TraceWriter(new MemoryStream());
        await writer.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.CompleteAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await writer.WriteAsync(s_record));
    }

    [Fact]
    public async Task ImpossibleRecord_IsAnArgumentError()
    {
        await using var writer = new TraceWriter(new MemoryStream());
        TraceRecord[] impossible =
        [
            s_record with { Layer = -1 },
            s_record with { Offset = -1 },
            s_record with { Length = -1 },
            s_record with { Offset = 1, Length = long.MaxValue },
            s_record with { Operation = (TraceOperation)'X' },
        ];
        foreach (TraceRecord record in impossible)
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await writer.WriteAsync(record));
        }

        Assert.Equal(0, writer.Count);
    }

    [Fact]
    public async Task Output_IsOwned_UnlessLeftOpen()
    {
        var owned = new MemoryStream();
        await new TraceWriter(owned).DisposeAsync();
        Assert.False(owned.CanWrite);
        var left = new MemoryStream();
        await new TraceWriter(left, leaveOpen: true).DisposeAsync();
        Assert.True(left.CanWrite);
        Assert.Throws<ArgumentException>(() => new TraceWriter(new MemoryStream([], writable: false)));
    }
}
