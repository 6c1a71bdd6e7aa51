// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The connections that read: as many as there are, however many callers come, since each has a cache of its own.</summary>
internal sealed class MetadataReaders : IDisposable
{
    private const int Count = 4;
    private readonly SemaphoreSlim _free = new(Count);
    private readonly ConcurrentBag<MetadataConnection> _idle = [];

    private MetadataReaders()
    {
    }

    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">The database cannot be opened.</exception>
    public static MetadataReaders Open(string path)
    {
        MetadataReaders readers = new();
        try
        {
            for (int i = 0; i < Count; i++)
            {
                readers._idle.Add(MetadataConnection.Open(path));
            }

            return readers;
        }
        catch
        {
            readers.Dispose();
            throw;
        }
    }

    /// <summary>Reads with a connection that nobody else has meanwhile.</summary>
    public T Read<T>(Func<MetadataConnection, T> read)
    {
        // For as long as another one's read takes, which waits for nothing.
        _free.Wait();
        MetadataConnection? connection = null;
        try
        {
            ObjectDisposedException.ThrowIf(!_idle.TryTake(out connection), this);
            return read(connection);
        }
        finally
        {
            if (connection is not null)
            {
                _idle.Add(connection);
            }

            _free.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out MetadataConnection? connection))
        {
            connection.Dispose();
        }
    }
}
