// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Compression;

/// <summary>Keeps a few codec contexts, which are costly to make and serve one thread at a time, for the next caller.</summary>
/// <typeparam name="T">The context.</typeparam>
internal sealed class CodecContextPool<T>
    where T : class, IDisposable
{
    // As many as can be in use at once when every processor is busy; what is returned beyond that is released.
    private readonly T?[] _kept = new T?[Environment.ProcessorCount];
    private readonly Func<T> _create;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="create">Makes a context when none is kept.</param>
    public CodecContextPool(Func<T> create) => _create = create;

    /// <summary>Hands out a context; the caller returns it.</summary>
    /// <returns>A context nobody else has.</returns>
    public T Rent()
    {
        for (int i = 0; i < _kept.Length; i++)
        {
            if (Volatile.Read(ref _kept[i]) is not null && Interlocked.Exchange(ref _kept[i], null) is T context)
            {
                return context;
            }
        }

        return _create();
    }

    /// <summary>Takes a context back.</summary>
    /// <param name="context">What <see cref="Rent"/> gave.</param>
    public void Return(T context)
    {
        for (int i = 0; i < _kept.Length; i++)
        {
            if (Volatile.Read(ref _kept[i]) is null && Interlocked.CompareExchange(ref _kept[i], context, null) is null)
            {
                return;
            }
        }

        context.Dispose();
    }
}
