// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Format;

namespace OverlayBd.Registry.Tests.Caching;

/// <summary>An origin that notes its reads and does before each what the test says.</summary>
internal sealed class ScriptedOrigin(byte[] content) : BlockSource
{
    public ConcurrentQueue<(long Offset, int Length)> Reads { get; } = new();

    public Func<long, int, CancellationToken, Task> Before { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>What a read returns instead of the content, given the buffer that holds the content.</summary>
    public Action<long, Memory<byte>>? Spoil { get; set; }

    public bool WasDisposed { get; private set; }

    public override long Length => content.Length;

    public long BytesRead => Reads.Sum(r => (long)r.Length);

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Reads.Enqueue((offset, buffer.Length));
        await Before(offset, buffer.Length, cancellationToken);
        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        Spoil?.Invoke(offset, buffer);
    }

    protected override ValueTask ReleaseAsync()
    {
        WasDisposed = true;
        return ValueTask.CompletedTask;
    }
}
