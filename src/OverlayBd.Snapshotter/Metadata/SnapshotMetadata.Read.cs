// SPDX-License-Identifier: Apache-2.0

using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <content>Reading: every method sees one consistent state, and waits for no writer.</content>
internal sealed partial class SnapshotMetadata
{
    private const string Columns =
        "SELECT s.id, s.name, s.kind, s.parent_id, p.name, s.created_at, s.updated_at, s.size, s.inodes"
        + " FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id";

    public SnapshotRecord? Find(string name) => _readers.Read(connection => Find(connection, name));

    public SnapshotRecord Get(string name) => Find(name) ?? throw SnapshotException.NotFound(name);

    /// <summary>The committed snapshots that one stands on, the nearest first.</summary>
    public List<SnapshotRecord> Ancestors(SnapshotRecord record) => record.ParentId is null
        ? []
        : _readers.Read(connection =>
        {
            List<SnapshotRecord> found = [];
            for (long? id = record.ParentId; id is not null; id = found[^1].ParentId)
            {
                found.Add(ReadAll(connection, connection.Command(Columns + " WHERE s.id = $1", id)).Single());
            }

            return found;
        });

    public bool HasChildren(long id) => _readers.Read(
        connection => connection.Command("SELECT 1 FROM snapshots WHERE parent_id = $1 LIMIT 1", id).ExecuteScalar() is not null);

    public List<SnapshotRecord> Children(long id) => _readers.Read(
        connection => ReadAll(connection, connection.Command(Columns + " WHERE s.parent_id = $1", id)));

    /// <summary>All snapshots, by name.</summary>
    public List<SnapshotRecord> List() => _readers.Read(connection =>
    {
        connection.Run("BEGIN");
        try
        {
            return ReadAllWithLabels(connection);
        }
        finally
        {
            connection.Run("COMMIT");
        }
    });

    /// <summary>The numbers of all directories that belong to a snapshot.</summary>
    public HashSet<long> ReadIds() => _readers.Read(connection =>
    {
        using SqliteDataReader reader = connection.Command("SELECT id FROM snapshots").ExecuteReader();
        HashSet<long> ids = [];
        while (reader.Read())
        {
            ids.Add(reader.GetInt64(0));
        }

        return ids;
    });

    private static List<SnapshotRecord> ReadAllWithLabels(MetadataConnection connection)
    {
        Dictionary<long, Dictionary<string, string>> labels = [];
        using (SqliteDataReader reader = connection.Command("SELECT snapshot_id, name, value FROM labels").ExecuteReader())
        {
            while (reader.Read())
            {
                long id = reader.GetInt64(0);
                labels.TryAdd(id, new(StringComparer.Ordinal));
                labels[id][reader.GetString(1)] = reader.GetString(2);
            }
        }

        using SqliteDataReader rows = connection.Command(Columns + " ORDER BY s.name").ExecuteReader();
        List<SnapshotRecord> found = [];
        while (rows.Read())
        {
            found.Add(Read(rows, labels.GetValueOrDefault(rows.GetInt64(0)) ?? SnapshotInfo.NoLabels));
        }

        return found;
    }

    private static SnapshotRecord? Find(MetadataConnection connection, string name) =>
        ReadAll(connection, connection.Command(Columns + " WHERE s.name = $1", name)).SingleOrDefault();

    private static List<SnapshotRecord> ReadAll(MetadataConnection connection, SqliteCommand command)
    {
        using SqliteDataReader reader = command.ExecuteReader();
        List<SnapshotRecord> found = [];
        while (reader.Read())
        {
            found.Add(Read(reader, ReadLabels(connection, reader.GetInt64(0))));
        }

        return found;
    }

    private static Dictionary<string, string> ReadLabels(MetadataConnection connection, long id)
    {
        using SqliteDataReader reader = connection.Command("SELECT name, value FROM labels WHERE snapshot_id = $1", id).ExecuteReader();
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
}
