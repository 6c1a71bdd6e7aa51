// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Distribution;

/// <summary>Does something when it is disposed, once.</summary>
internal sealed class DisposeAction(Action action) : IDisposable
{
    private Action? _action = action;

    public void Dispose() => Interlocked.Exchange(ref _action, null)?.Invoke();
}
