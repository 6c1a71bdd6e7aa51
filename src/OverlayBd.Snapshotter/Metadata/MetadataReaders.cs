// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The connections that read: as many as there are, however many callers come, since each has a cache of its own.</summary>
internal sealed class MetadataReaders(string path) : IDisposable
{
    private const int Count = 4;
    private readonly SemaphoreSlim _free = new(Count);
    private readonly ConcurrentBag<MetadataConnection> _idle = [];

    /// <summary>Reads with a connection that nobody else has meanwhile.</summary>
    public T Read<T>(Func<MetadataConnection, T> read)
    {
        // For as long as another one's read takes, which waits for nothing.
        _free.Wait();
        try
        {
            MetadataConnection connection = _idle.TryTake(out MetadataConnection? found) ? found : MetadataConnection.Open(path);
            try
            {
                return read(connection);
            }
            finally
            {
                _idle.Add(connection);
            }
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out MetadataConnection? connection))
        {
            connection.Dispose();
        }

        _free.Dispose();
    }
}
