// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <content>Reading: every method sees one consistent state, and waits for no writer.</content>
internal sealed partial class SnapshotMetadata
{
    private const string Columns =
        "SELECT s.id, s.name, s.kind, s.parent_id, p.name, s.created_at, s.updated_at, s.size, s.inodes"
        + " FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id";

    public SnapshotRecord? Find(string name)
    {
        using SqliteConnection connection = OpenReader();
        return Find(connection, name);
    }

    public SnapshotRecord Get(string name) => Find(name) ?? throw SnapshotException.NotFound(name);

    /// <summary>The committed snapshots that one stands on, the nearest first.</summary>
    public List<SnapshotRecord> Ancestors(SnapshotRecord record)
    {
        using SqliteConnection connection = OpenReader();
        List<SnapshotRecord> found = [];
        for (long? id = record.ParentId; id is not null; id = found[^1].ParentId)
        {
            using SqliteCommand command = Command(connection, Columns + " WHERE s.id = $1", id);
            found.Add(ReadAll(connection, command).Single());
        }

        return found;
    }

    public bool HasChildren(long id) => Children(id).Count > 0;

    public List<SnapshotRecord> Children(long id)
    {
        using SqliteConnection connection = OpenReader();
        using SqliteCommand command = Command(connection, Columns + " WHERE s.parent_id = $1", id);
        return ReadAll(connection, command);
    }

    /// <summary>All snapshots, by name.</summary>
    public List<SnapshotRecord> List()
    {
        using SqliteConnection connection = OpenReader();
        using SqliteTransaction transaction = connection.BeginTransaction(deferred: true);
        Dictionary<long, Dictionary<string, string>> labels = [];
        using (SqliteCommand command = Command(connection, "SELECT snapshot_id, name, value FROM labels"))
        using (SqliteDataReader reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                long id = reader.GetInt64(0);
                labels.TryAdd(id, new(StringComparer.Ordinal));
                labels[id][reader.GetString(1)] = reader.GetString(2);
            }
        }

        using SqliteCommand all = Command(connection, Columns + " ORDER BY s.name");
        using SqliteDataReader rows = all.ExecuteReader();
        List<SnapshotRecord> found = [];
        while (rows.Read())
        {
            found.Add(Read(rows, labels.GetValueOrDefault(rows.GetInt64(0)) ?? SnapshotInfo.NoLabels));
        }

        return found;
    }

    /// <summary>The numbers of all directories that belong to a snapshot.</summary>
    public HashSet<long> ReadIds()
    {
        using SqliteConnection connection = OpenReader();
        using SqliteCommand command = Command(connection, "SELECT id FROM snapshots");
        using SqliteDataReader reader = command.ExecuteReader();
        HashSet<long> ids = [];
        while (reader.Read())
        {
            ids.Add(reader.GetInt64(0));
        }

        return ids;
    }

    private static SnapshotRecord? Find(SqliteConnection connection, string name)
    {
        using SqliteCommand command = Command(connection, Columns + " WHERE s.name = $1", name);
        return ReadAll(connection, command).SingleOrDefault();
    }

    private static List<SnapshotRecord> ReadAll(SqliteConnection connection, SqliteCommand command)
    {
        using SqliteDataReader reader = command.ExecuteReader();
        List<SnapshotRecord> found = [];
        while (reader.Read())
        {
            found.Add(Read(reader, ReadLabels(connection, reader.GetInt64(0))));
        }

        return found;
    }

    private static Dictionary<string, string> ReadLabels(SqliteConnection connection, long id)
    {
        using SqliteCommand command = Command(connection, "SELECT name, value FROM labels WHERE snapshot_id = $1", id);
        using SqliteDataReader reader = command.ExecuteReader();
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        while (reader.Read())
        {
            labels[reader.GetString(0)] = reader.GetString(1);
        }

        return labels;
    }

    private static SnapshotRecord Read(SqliteDataReader reader, IReadOnlyDictionary<string, string> labels) => new()
    {
        Id = reader.GetInt64(0),
        ParentId = reader.IsDBNull(3) ? null : reader.GetInt64(3),
        Info = new()
        {
            Name = reader.GetString(1),
            Kind = (SnapshotKind)reader.GetInt32(2),
            Parent = reader.IsDBNull(4) ? "" : reader.GetString(4),
            CreatedAt = FromStored(reader.GetInt64(5)),
            UpdatedAt = FromStored(reader.GetInt64(6)),
            Labels = labels,
        },
        Usage = new(reader.GetInt64(7), reader.GetInt64(8)),
    };

    private SqliteConnection OpenReader()
    {
        SqliteConnection connection = new(_readers);
        connection.Open();
        return connection;
    }
}
