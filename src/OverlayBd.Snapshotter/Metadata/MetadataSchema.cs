// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>The tables, by version; each version is reached from the one before in one transaction.</summary>
internal static class MetadataSchema
{
    public const int Version = 1;

    private static readonly string[] s_steps =
    [
        """
        CREATE TABLE snapshots (
            id         INTEGER PRIMARY KEY AUTOINCREMENT,
            name       TEXT    NOT NULL UNIQUE,
            kind       INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 3),
            parent_id  INTEGER REFERENCES snapshots (id),
            created_at INTEGER NOT NULL, -- nanoseconds since 1970
            updated_at INTEGER NOT NULL,
            size       INTEGER NOT NULL DEFAULT 0,
            inodes     INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX snapshots_by_parent ON snapshots (parent_id);
        CREATE TABLE labels (
            snapshot_id INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
            name        TEXT    NOT NULL,
            value       TEXT    NOT NULL,
            PRIMARY KEY (snapshot_id, name)
        ) STRICT, WITHOUT ROWID;
        """,
    ];

    /// <summary>Brings a database to this version.</summary>
    /// <exception cref="InvalidDataException">It is of a later version.</exception>
    public static void Migrate(SqliteConnection connection, string path)
    {
        long found = (long)Execute(connection, "PRAGMA user_version")!;
        if (found is < 0 or > Version)
        {
            throw new InvalidDataException($"{path} has version {found} of the schema; this program knows versions up to {Version}.");
        }

        for (long version = found; version < Version; version++)
        {
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            Execute(connection, s_steps[version], transaction);
            Execute(connection, $"PRAGMA user_version = {version + 1}", transaction);
            transaction.Commit();
        }
    }

    public static object? Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Only constants of this assembly are passed.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Transaction = transaction;
        return command.ExecuteScalar();
    }
}
