// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Images.Downloading;

/// <summary>A stored layer that is read from its repository until there is a local copy, and from that afterwards.</summary>
/// <remarks>The switch is a reference that readers look at once: none waits for it, and none is disturbed by it. Reads that began before
/// keep the first source open; it is released when the last of them has ended.</remarks>
internal sealed class SwitchableBlockSource(BlockSource first) : BlockSource, IInvalidatable, IPrefetchable
{
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BlockSource? _second;

    // The readers of the first source, and one for the right to be read. Once it is 0 it stays 0.
    private int _users = 1;

    public override long Length => first.Length;

    /// <summary>Whether the switch has been made.</summary>
    public bool IsSwitched => Volatile.Read(ref _second) is not null;

    /// <summary>Reads from another source from now on, and releases the first once nobody reads it. Called once at most.</summary>
    /// <param name="second">The same bytes; owned from this call on, also when it fails.</param>
    /// <param name="cancellationToken">Abandons the wait for readers of the first source, which is then released with this.</param>
    /// <exception cref="InvalidDataException">The source has another length.</exception>
    public async Task SwitchAsync(BlockSource second, CancellationToken cancellationToken)
    {
        if (second.Length != Length)
        {
            await second.DisposeAsync().ConfigureAwait(false);
            throw new InvalidDataException($"The local copy is {second.Length} bytes long, the layer {Length}.");
        }

        Volatile.Write(ref _second, second);
        Leave();
        await _drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await first.DisposeAsync().ConfigureAwait(false);
    }

    // A reader that found a block damaged may have read it before the switch: reading again makes sense then.
    public ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        IsSwitched ? new(true)
        : first is IInvalidatable source ? source.InvalidateAsync(offset, length, cancellationToken)
        : new(false);

    public async ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        if (first is IPrefetchable source && !IsSwitched && TryEnter())
        {
            try
            {
                await source.PrefetchAsync(offset, length, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Leave();
            }
        }
    }

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _second) is BlockSource second)
        {
            return second.ReadAsync(offset, buffer, cancellationToken);
        }

        if (!TryEnter())
        {
            // The switch has been made since.
            return Volatile.Read(ref _second)!.ReadAsync(offset, buffer, cancellationToken);
        }

        ValueTask read;
        try
        {
            read = first.ReadAsync(offset, buffer, cancellationToken);
        }
        catch
        {
            Leave();
            throw;
        }

        if (!read.IsCompleted)
        {
            return FinishAsync(read);
        }

        Leave();
        return read;
    }

    protected override async ValueTask ReleaseAsync()
    {
        await first.DisposeAsync().ConfigureAwait(false);
        if (_second is not null)
        {
            await _second.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask FinishAsync(ValueTask read)
    {
        try
        {
            await read.ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    private bool TryEnter()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0)
        {
            int found = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (found == users)
            {
                return true;
            }

            users = found;
        }

        return false;
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            _drained.SetResult();
        }
    }
}
