// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The records of all snapshots, in SQLite: one writer, and readers beside it. A change is on the disk when its call returns.</summary>
internal sealed partial class SnapshotMetadata : IDisposable
{
    private readonly string _readers;
    private readonly SqliteConnection _writer;

    // Held over one transaction, which waits for the disk and nothing else.
    private readonly SemaphoreSlim _writing = new(1);
    private long _lastId;

    private SnapshotMetadata(string path, SqliteConnection writer)
    {
        _writer = writer;
        _readers = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, DefaultTimeout = 30 }.ToString();
        _lastId = (long)MetadataSchema.Execute(
            writer, "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'), 0), ifnull((SELECT max(id) FROM snapshots), 0))")!;
    }

    /// <summary>Opens the database, and makes it when there is none.</summary>
    /// <exception cref="InvalidDataException">It is of a later version, or no database.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SnapshotMetadata Open(string path)
    {
        SqliteConnection writer = new(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString());
        try
        {
            writer.Open();
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            MetadataSchema.Execute(writer, "PRAGMA journal_mode = WAL");
            MetadataSchema.Execute(writer, "PRAGMA synchronous = FULL");
            MetadataSchema.Execute(writer, "PRAGMA foreign_keys = ON");
            MetadataSchema.Migrate(writer, path);
            return new(path, writer);
        }
        catch (SqliteException e)
        {
            writer.Dispose();
            throw new IOException($"{path} cannot be opened as the database of snapshots: {e.Message}", e);
        }
        catch
        {
            writer.Dispose();
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
        using SqliteConnection pooled = new(_readers);
        SqliteConnection.ClearPool(pooled);
        _writer.Dispose();
        _writing.Dispose();
    }

    private static long ToStored(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    private static DateTimeOffset FromStored(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / TimeSpan.NanosecondsPerTick);

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<object?> arguments)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Only constants of this class are passed; values are bound.
        command.CommandText = sql;
#pragma warning restore CA2100
        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters.AddWithValue("$" + (i + 1).ToString(CultureInfo.InvariantCulture), arguments[i] ?? DBNull.Value);
        }

        return command;
    }
}
