// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Caching;

/// <summary>The fetches of one blob that are under way, so that a unit is fetched once however many readers need it.</summary>
internal sealed class FetchTable
{
    // Guards the table and the settable properties of every fetch that came from it. Nothing under it waits or does I/O.
    private readonly Lock _gate = new();
    private readonly Dictionary<long, UnitFetch> _byUnit = [];
    private readonly CacheFile _file;

    public FetchTable(CacheFile file) => _file = file;

    /// <summary>
    /// Joins the fetches of all units of a range that cannot be read yet; makes those that nobody has started.
    /// Every fetch returned must be left again; the new ones are also to be run.
    /// </summary>
    /// <returns>The fetches, in the order of their offsets.</returns>
    public List<UnitFetch> Join(CachedBlockSource source, long first, long last, CancellationToken closing, out List<UnitFetch>? created)
    {
        List<UnitFetch> joined = [];
        created = null;
        lock (_gate)
        {
            for (long unit = first; unit <= last; unit++)
            {
                if (_byUnit.TryGetValue(unit, out UnitFetch? fetch))
                {
                    unit = fetch.LastUnit;
                }
                else if (_file.IsReadable(unit))
                {
                    continue;
                }
                else
                {
                    fetch = Create(source, unit, last, isReadAhead: false, closing);
                    (created ??= []).Add(fetch);
                    unit = fetch.LastUnit;
                }

                fetch.Waiters++;
                fetch.References++;
                joined.Add(fetch);
            }
        }

        return joined;
    }

    /// <summary>Makes fetches for the units of a range that are neither readable nor being fetched. They are to be run; nobody waits for
    /// them.</summary>
    public List<UnitFetch>? CreateReadAhead(CachedBlockSource source, long first, long last, CancellationToken closing)
    {
        List<UnitFetch>? created = null;
        lock (_gate)
        {
            for (long unit = first; unit <= last; unit++)
            {
                if (_byUnit.TryGetValue(unit, out UnitFetch? fetch))
                {
                    unit = fetch.LastUnit;
                }
                else if (!_file.IsReadable(unit))
                {
                    fetch = Create(source, unit, last, isReadAhead: true, closing);
                    (created ??= []).Add(fetch);
                    unit = fetch.LastUnit;
                }
            }
        }

        return created;
    }

    /// <summary>Gives up a reader's place in a fetch, and with it the right to look at the bytes. The last one to go cancels it.</summary>
    public void Leave(UnitFetch fetch)
    {
        bool cancel;
        bool free;
        lock (_gate)
        {
            cancel = --fetch.Waiters == 0 && !fetch.IsReadAhead && !fetch.Arrived.IsCompleted && !fetch.IsAbandoned;
            if (cancel)
            {
                fetch.IsAbandoned = true;
                Forget(fetch);
                fetch.References++;
            }

            free = --fetch.References == 0;
        }

        if (cancel)
        {
            fetch.Cancel();
            Release(fetch);
        }
        else if (free)
        {
            fetch.Free();
        }
    }

    /// <summary>Tells the readers that the bytes are here; false when all of them have left.</summary>
    public bool Complete(UnitFetch fetch)
    {
        lock (_gate)
        {
            if (fetch.IsAbandoned)
            {
                return false;
            }

            fetch.SetArrived();
            return true;
        }
    }

    /// <summary>Tells the readers that the bytes will not come. Whoever reads next starts anew.</summary>
    public void Fail(UnitFetch fetch, Exception error)
    {
        lock (_gate)
        {
            Forget(fetch);
            if (error is OperationCanceledException)
            {
                fetch.SetCancelled();
            }
            else
            {
                fetch.SetFailed(error);
            }
        }
    }

    /// <summary>Takes a fetch out, after its bytes were stored.</summary>
    public void Finish(UnitFetch fetch)
    {
        lock (_gate)
        {
            Forget(fetch);
        }

        Release(fetch);
    }

    /// <summary>Makes sure that the fetches under way in a range are not stored, and that whoever reads next starts anew.</summary>
    public void Discard(long first, long last)
    {
        lock (_gate)
        {
            foreach (UnitFetch fetch in _byUnit.Values.Where(f => f.FirstUnit <= last && f.LastUnit >= first).Distinct().ToList())
            {
                fetch.IsDiscarded = true;
                Forget(fetch);
            }
        }
    }

    private UnitFetch Create(CachedBlockSource source, long first, long last, bool isReadAhead, CancellationToken closing)
    {
        last = Math.Min(last, first + source.MaxFetchUnits - 1);
        long end = first;
        while (end < last && !_file.IsReadable(end + 1) && !_byUnit.ContainsKey(end + 1))
        {
            end++;
        }

        var fetch = new UnitFetch(source, first, end, isReadAhead, closing);
        for (long unit = first; unit <= end; unit++)
        {
            _byUnit.Add(unit, fetch);
        }

        return fetch;
    }

    private void Forget(UnitFetch fetch)
    {
        for (long unit = fetch.FirstUnit; unit <= fetch.LastUnit; unit++)
        {
            if (_byUnit.TryGetValue(unit, out UnitFetch? current) && ReferenceEquals(current, fetch))
            {
                _byUnit.Remove(unit);
            }
        }
    }

    private void Release(UnitFetch fetch)
    {
        bool free;
        lock (_gate)
        {
            free = --fetch.References == 0;
        }

        if (free)
        {
            fetch.Free();
        }
    }
}
