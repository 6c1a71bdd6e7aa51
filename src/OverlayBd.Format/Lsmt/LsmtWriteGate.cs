// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>Lets any number of writes through, and can be closed: then those under way come to their end, and others wait.</summary>
/// <remarks>Passing an open gate costs a short lock and allocates nothing. Waiting holds no thread.</remarks>
internal sealed class LsmtWriteGate : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _closers = new(1, 1);
    private int _inside;
    private TaskCompletionSource? _opened;
    private TaskCompletionSource? _drained;

    /// <summary>Goes through if the gate is open; whoever did calls <see cref="Exit"/>.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_opened is not null)
            {
                return false;
            }

            _inside++;
            return true;
        }
    }

    /// <summary>Goes through as soon as the gate is open; whoever did calls <see cref="Exit"/>.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        while (!TryEnter())
        {
            Task opened;
            lock (_lock)
            {
                opened = _opened?.Task ?? Task.CompletedTask;
            }

            await opened.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends what <see cref="TryEnter"/> began.</summary>
    public void Exit()
    {
        TaskCompletionSource? drained;
        lock (_lock)
        {
            drained = --_inside == 0 ? _drained : null;
        }

        drained?.TrySetResult();
    }

    /// <summary>Closes the gate and waits until nobody is inside; whoever did calls <see cref="Open"/>.</summary>
    public async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        await _closers.WaitAsync(cancellationToken).ConfigureAwait(false);
        Task drained = Task.CompletedTask;
        lock (_lock)
        {
            _opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_inside > 0)
            {
                _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                drained = _drained.Task;
            }
        }

        try
        {
            await drained.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Open();
            throw;
        }
    }

    /// <summary>Opens the gate again.</summary>
    public void Open()
    {
        TaskCompletionSource? opened;
        lock (_lock)
        {
            opened = _opened;
            _opened = null;
            _drained = null;
        }

        opened?.TrySetResult();
        _closers.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _closers.Dispose();
}
