// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Images.Tests;

/// <summary>Bytes in memory whose reads wait at a gate, and that tells when it was disposed.</summary>
internal sealed class GatedSource(byte[] content) : BlockSource
{
    private TaskCompletionSource? _gate;

    public override long Length => content.Length;

    public bool WasDisposed => IsDisposed;

    public void Close() => _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate!.SetResult();

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_gate is TaskCompletionSource gate)
        {
            return WaitAsync(gate, offset, buffer);
        }

        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        return ValueTask.CompletedTask;
    }

    private async ValueTask WaitAsync(TaskCompletionSource gate, long offset, Memory<byte> buffer)
    {
        await gate.Task;
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
    }
}
