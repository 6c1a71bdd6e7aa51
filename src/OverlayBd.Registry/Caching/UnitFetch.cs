// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace OverlayBd.Registry.Caching;

/// <summary>One read of the origin in flight: a run of whole units, with everybody who waits for it.</summary>
/// <remarks>Whatever is settable here is guarded by the gate of the <see cref="FetchTable"/> it is in.</remarks>
internal sealed class UnitFetch
{
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancellation;
    private byte[]? _buffer;
    private volatile bool _discarded;

    public UnitFetch(CachedBlockSource source, long firstUnit, long lastUnit, bool isReadAhead, CancellationToken closing)
    {
        Source = source;
        FirstUnit = firstUnit;
        LastUnit = lastUnit;
        IsReadAhead = isReadAhead;
        Offset = firstUnit * source.UnitSize;
        Length = (int)(Math.Min((lastUnit + 1) * source.UnitSize, source.Length) - Offset);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(closing);
        Token = _cancellation.Token;
    }

    /// <summary>The source whose origin is read.</summary>
    public CachedBlockSource Source { get; }

    public long FirstUnit { get; }

    /// <summary>The last unit, included.</summary>
    public long LastUnit { get; }

    public long Offset { get; }

    public int Length { get; }

    public long End => Offset + Length;

    /// <summary>Whether it was started without anybody asking, so that its failure is nobody's failure.</summary>
    public bool IsReadAhead { get; }

    /// <summary>Cancelled when nobody waits any more, or when the source is closed.</summary>
    public CancellationToken Token { get; }

    /// <summary>Completes when the bytes are here; fails when they will not be.</summary>
    public Task Arrived => _arrived.Task;

    /// <summary>Completes when the fetch has also been stored (or could not be) and nothing of it runs any more.</summary>
    public Task Finished { get; set; } = Task.CompletedTask;

    /// <summary>How many readers wait for it.</summary>
    public int Waiters { get; set; }

    /// <summary>How many may still look at the bytes: the readers, and whoever runs the fetch.</summary>
    public int References { get; set; } = 1;

    /// <summary>Whether every reader left before the bytes arrived.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>Whether the bytes must not be stored, because somebody found them damaged.</summary>
    public bool IsDiscarded
    {
        get => _discarded;
        set => _discarded = value;
    }

    public Memory<byte> RentBuffer() => (_buffer = ArrayPool<byte>.Shared.Rent(Length)).AsMemory(0, Length);

    /// <summary>The bytes; legal between arrival and the release of the caller's reference.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, Length);

    public void SetArrived() => _arrived.TrySetResult();

    public void SetCancelled() => _arrived.TrySetCanceled(Token);

    public void SetFailed(Exception error)
    {
        _arrived.TrySetException(error);

        // Observed here: a fetch that nobody waits for may fail in silence.
        _ = _arrived.Task.Exception;
    }

    public void Cancel() => _cancellation.Cancel();

    /// <summary>Gives the memory back; called once, when no reference is left.</summary>
    public void Free()
    {
        if (_buffer is byte[] buffer)
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _cancellation.Dispose();
    }
}
