// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The one connection that writes. Changes that come while the disk is busy with others share the next commit, and so the wait
/// for the disk; a change that fails takes back what it did itself, and nothing of those beside it.</summary>
/// <remarks>Who finds nobody writing writes at once, on its own thread: alone, a change costs no change of threads. What came meanwhile is
/// left to the thread pool.</remarks>
internal sealed class MetadataWriter(MetadataConnection connection) : IDisposable
{
    private const int FullError = 13;

    private readonly ConcurrentQueue<PendingChange> _queue = new();

    // Held over one commit, which waits for the disk and nothing else; never given back by who disposes.
    private readonly SemaphoreSlim _writing = new(1);
    private volatile bool _isDisposed;

    /// <summary>Makes a change; it is on the disk when the task completes.</summary>
    /// <param name="change">What to change. It may throw, and then has changed nothing.</param>
    /// <param name="cancellationToken">Abandons it, if it was not begun yet.</param>
    /// <exception cref="SnapshotException">The database failed.</exception>
    public Task WriteAsync(Action<MetadataConnection> change, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        PendingChange pending = new(change, cancellationToken);
        _queue.Enqueue(pending);
        WriteQueued();
        return pending.Task;
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _writing.Wait();
        while (_queue.TryDequeue(out PendingChange? pending))
        {
            pending.Fail(new ObjectDisposedException(nameof(MetadataWriter)));
            pending.Complete();
        }

        connection.Dispose();
    }

    private void WriteQueued()
    {
        if (!_writing.Wait(0))
        {
            // Whoever writes now looks into the queue again afterwards.
            return;
        }

        List<PendingChange> batch = [];
        while (_queue.TryDequeue(out PendingChange? pending))
        {
            batch.Add(pending);
        }

        Write(batch);
        _writing.Release();
        batch.ForEach(pending => pending.Complete());
        if (!_queue.IsEmpty)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.WriteQueued(), this, preferLocal: false);
        }
    }

    private void Write(List<PendingChange> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        try
        {
            connection.Run("BEGIN IMMEDIATE");
            batch.ForEach(Apply);
            connection.Run("COMMIT");
        }
        catch (SqliteException e)
        {
            SnapshotError error = e.SqliteErrorCode == FullError ? SnapshotError.ResourceExhausted : SnapshotError.Unknown;
            SnapshotException failure = new(error, $"the database of snapshots: {e.Message}", e);
            batch.ForEach(pending => pending.Fail(failure));
            RollBack();
        }
    }

    private void Apply(PendingChange pending)
    {
        if (pending.IsAbandoned)
        {
            pending.Fail(new OperationCanceledException());
            return;
        }

        connection.Run("SAVEPOINT change");
        try
        {
            pending.Apply(connection);
        }
        catch (Exception e)
        {
            if (connection.IsIdle)
            {
                // SQLite has taken back the whole transaction, as it does when the disk is full.
                throw;
            }

            pending.Fail(
                e is SqliteException ? new SnapshotException(SnapshotError.Unknown, $"the database of snapshots: {e.Message}", e) : e);
            connection.Run("ROLLBACK TO change");
        }

        connection.Run("RELEASE change");
    }

    private void RollBack()
    {
        try
        {
            if (!connection.IsIdle)
            {
                connection.Run("ROLLBACK");
            }
        }
        catch (SqliteException)
        {
            // The failure before this one is what is told.
        }
    }
}
