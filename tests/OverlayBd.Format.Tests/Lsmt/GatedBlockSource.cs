// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>A source whose reads wait until the test lets them go, as those of a registry do; and which notes what is prefetched.</summary>
internal sealed class GatedBlockSource(BlockSource inner) : BlockSource, IPrefetchable
{
    private readonly Queue<TaskCompletionSource> _waiting = new();

    public override long Length => inner.Length;

    /// <summary>Whether reads wait.</summary>
    public bool IsGated { get; set; }

    public int Waiting => _waiting.Count;

    public List<(long Offset, long Length)> Prefetched { get; } = [];

    /// <summary>Lets the longest waiting read go, or fail.</summary>
    public void Release(Exception? exception = null)
    {
        TaskCompletionSource gate = _waiting.Dequeue();
        if (exception is null)
        {
            gate.SetResult();
        }
        else
        {
            gate.SetException(exception);
        }
    }

    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        Prefetched.Add((offset, length));
        return ValueTask.CompletedTask;
    }

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (IsGated)
        {
            var gate = new TaskCompletionSource();
            _waiting.Enqueue(gate);
            await gate.Task;
        }

        await inner.ReadAsync(offset, buffer, cancellationToken);
    }
}
