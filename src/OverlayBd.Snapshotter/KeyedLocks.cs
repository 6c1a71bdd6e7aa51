// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>Serialises work on the same names; other names go on side by side. Asynchronous, so that waiting takes no thread.</summary>
internal sealed class KeyedLocks
{
    private readonly Lock _guard = new(); // the table, never held over a wait
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Takes the locks of several names, always in the same order, so that no two callers wait for each other.</summary>
    public async Task<IDisposable> LockAsync(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        Releaser releaser = new(this);
        try
        {
            foreach (string name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                await releaser.AddAsync(name, Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            }

            return releaser;
        }
        catch
        {
            releaser.Dispose();
            throw;
        }
    }

    /// <summary>Takes a lock, if it can be had in time; null when not.</summary>
    public async Task<IDisposable?> TryLockAsync(string name, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Releaser releaser = new(this);
        return await releaser.AddAsync(name, timeout, cancellationToken).ConfigureAwait(false) ? releaser : null;
    }

    private Entry Enter(string name)
    {
        lock (_guard)
        {
            if (!_entries.TryGetValue(name, out Entry? entry))
            {
                _entries[name] = entry = new();
            }

            entry.Users++;
            return entry;
        }
    }

    private void Leave(string name, Entry entry)
    {
        lock (_guard)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(name);
                entry.Semaphore.Dispose();
            }
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Semaphore { get; } = new(1);

        /// <summary>Who holds it or waits for it.</summary>
        public int Users { get; set; }
    }

    private sealed class Releaser(KeyedLocks owner) : IDisposable
    {
        private readonly List<(string Name, Entry Entry)> _held = [];

        public async Task<bool> AddAsync(string name, TimeSpan timeout, CancellationToken cancellationToken)
        {
            Entry entry = owner.Enter(name);
            bool isHeld = false;
            try
            {
                isHeld = await entry.Semaphore.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
                if (isHeld)
                {
                    _held.Add((name, entry));
                }

                return isHeld;
            }
            finally
            {
                if (!isHeld)
                {
                    owner.Leave(name, entry);
                }
            }
        }

        public void Dispose()
        {
            foreach ((string name, Entry entry) in Enumerable.Reverse(_held))
            {
                entry.Semaphore.Release();
                owner.Leave(name, entry);
            }

            _held.Clear();
        }
    }
}
