// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <content>Writing: each method is one transaction, which happens whole or not at all.</content>
internal sealed partial class SnapshotMetadata
{
    private const int ConstraintError = 19;

    /// <summary>Adds a snapshot whose directory is complete.</summary>
    /// <exception cref="SnapshotException">The parent is gone, or the name is taken.</exception>
    public Task AddAsync(SnapshotRecord record, CancellationToken cancellationToken) => _writer.WriteAsync(
        connection =>
        {
            long? parent = record.Info.Parent.Length == 0 ? null : FindParent(connection, record.Info.Parent).Id;
            SnapshotInfo info = record.Info;
            SqliteCommand insert = connection.Command(
                "INSERT INTO snapshots (id, name, kind, parent_id, created_at, updated_at, size, inodes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                record.Id,
                info.Name,
                (int)info.Kind,
                parent,
                ToStored(info.CreatedAt),
                ToStored(info.UpdatedAt),
                record.Usage.Size,
                record.Usage.Inodes);
            try
            {
                insert.ExecuteNonQuery();
            }
            catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
            {
                throw SnapshotException.Exists($"failed to create snapshot: snapshot {SnapshotException.Printable(info.Name)}: already exists");
            }

            WriteLabels(connection, record.Id, info.Labels);
        },
        cancellationToken);

    /// <summary>Makes a committed snapshot of an active one: it gets a new name, new labels, and what it takes of the disk.</summary>
    /// <exception cref="SnapshotException">It is gone or not active, or the name is taken.</exception>
    public Task CommitAsync(string key, SnapshotRecord committed, CancellationToken cancellationToken) => _writer.WriteAsync(
        connection =>
        {
            SnapshotInfo info = committed.Info;
            long? parent = info.Parent.Length == 0 ? null : FindParent(connection, info.Parent).Id;
            SqliteCommand update = connection.Command(
                "UPDATE snapshots SET name = $1, kind = $2, parent_id = $3, created_at = $4, updated_at = $5, size = $6, inodes = $7"
                + " WHERE id = $8 AND name = $9 AND kind = $10",
                info.Name,
                (int)SnapshotKind.Committed,
                parent,
                ToStored(info.CreatedAt),
                ToStored(info.UpdatedAt),
                committed.Usage.Size,
                committed.Usage.Inodes,
                committed.Id,
                key,
                (int)SnapshotKind.Active);
            try
            {
                if (update.ExecuteNonQuery() != 1)
                {
                    throw SnapshotException.NotFound(key);
                }
            }
            catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
            {
                throw SnapshotException.Exists($"committed snapshot {SnapshotException.Printable(info.Name)}: already exists");
            }

            WriteLabels(connection, committed.Id, info.Labels);
        },
        cancellationToken);

    /// <summary>Replaces the labels of a snapshot.</summary>
    /// <exception cref="SnapshotException">It is gone.</exception>
    public Task SetLabelsAsync(
        long id, IReadOnlyDictionary<string, string> labels, DateTimeOffset updatedAt, CancellationToken cancellationToken) => _writer.WriteAsync(
        connection =>
        {
            SqliteCommand update = connection.Command("UPDATE snapshots SET updated_at = $1 WHERE id = $2", ToStored(updatedAt), id);
            if (update.ExecuteNonQuery() != 1)
            {
                throw SnapshotException.NotFound($"{id}");
            }

            WriteLabels(connection, id, labels);
        },
        cancellationToken);

    /// <summary>Removes a snapshot that nothing stands on.</summary>
    /// <exception cref="SnapshotException">Something does.</exception>
    public Task RemoveAsync(SnapshotRecord record, CancellationToken cancellationToken) => _writer.WriteAsync(
        connection =>
        {
            SqliteCommand delete = connection.Command("DELETE FROM snapshots WHERE id = $1", record.Id);
            try
            {
                delete.ExecuteNonQuery();
            }
            catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
            {
                throw SnapshotException.Precondition("failed to remove: cannot remove snapshot with child");
            }
        },
        cancellationToken);

    private static SnapshotRecord FindParent(MetadataConnection connection, string name)
    {
        SnapshotRecord? parent = Find(connection, name);
        return parent?.Info.Kind switch
        {
            null => throw new SnapshotException(
                SnapshotError.NotFound, $"failed to create snapshot: missing parent \"{SnapshotException.Printable(name)}\" bucket: not found"),
            SnapshotKind.Committed => parent,
            _ => throw SnapshotException.Invalid($"failed to create snapshot: parent \"{SnapshotException.Printable(name)}\" is not committed snapshot"),
        };
    }

    private static void WriteLabels(MetadataConnection connection, long id, IReadOnlyDictionary<string, string> labels)
    {
        SqliteCommand delete = connection.Command("DELETE FROM labels WHERE snapshot_id = $1", id);
        delete.ExecuteNonQuery();
        foreach ((string name, string value) in labels)
        {
            SqliteCommand insert = connection.Command("INSERT INTO labels (snapshot_id, name, value) VALUES ($1, $2, $3)", id, name, value);
            insert.ExecuteNonQuery();
        }
    }
}
