// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The records of all snapshots, in SQLite: one connection that writes, and some that read beside it. A change is on the disk when
/// its call returns.</summary>
internal sealed partial class SnapshotMetadata : IDisposable
{
    private readonly MetadataReaders _readers;
    private readonly MetadataWriter _writer;
    private long _lastId;

    private SnapshotMetadata(MetadataConnection writer, MetadataReaders readers)
    {
        _readers = readers;
        _writer = new(writer);
        _lastId = (long)MetadataSchema.Execute(
            writer.Raw,
            "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'), 0), ifnull((SELECT max(id) FROM snapshots), 0))")!;
    }

    /// <summary>Opens the database, and makes it when there is none.</summary>
    /// <exception cref="InvalidDataException">It is of a later version, or no database.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SnapshotMetadata Open(string path)
    {
        MetadataConnection? writer = null;
        try
        {
            writer = MetadataConnection.Open(path);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            MetadataSchema.Execute(writer.Raw, "PRAGMA journal_mode = WAL");
            MetadataSchema.Execute(writer.Raw, "PRAGMA synchronous = FULL");
            MetadataSchema.Execute(writer.Raw, "PRAGMA foreign_keys = ON");
            MetadataSchema.Migrate(writer.Raw, path);
            return new(writer, MetadataReaders.Open(path));
        }
        catch (SqliteException e)
        {
            writer?.Dispose();
            throw new IOException($"{path} cannot be opened as the database of snapshots: {e.Message}", e);
        }
        catch
        {
            writer?.Dispose();
            throw;
        }
    }

    /// <summary>Takes the number for a new directory; no number is ever given again, whatever becomes of it.</summary>
    public long TakeId() => Interlocked.Increment(ref _lastId);

    /// <summary>Makes sure that a number that a directory has is not given.</summary>
    public void SkipId(long id)
    {
        for (long last = Volatile.Read(ref _lastId); id > last; last = Volatile.Read(ref _lastId))
        {
            Interlocked.CompareExchange(ref _lastId, id, last);
        }
    }

    public void Dispose()
    {
        _readers.Dispose();
        _writer.Dispose();
    }

    private static long ToStored(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    private static DateTimeOffset FromStored(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
}
