// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Microsoft.Data.Sqlite;

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>One connection, and the statements that were compiled for it. One caller at a time.</summary>
internal sealed class MetadataConnection : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    private MetadataConnection(SqliteConnection connection) => _connection = connection;

    /// <summary>The connection itself, for what is done once.</summary>
    public SqliteConnection Raw => _connection;

    /// <summary>Whether no transaction is open; SQLite ends one by itself after some errors, such as a full disk.</summary>
    public bool IsIdle => SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) != 0;

    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public static MetadataConnection Open(string path)
    {
        SqliteConnection connection = new(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString());
        try
        {
            connection.Open();
            return new(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A statement with its arguments, $1 and on. It stays the connection's; a reader of it is closed before it is asked for
    /// again.</summary>
    public SqliteCommand Command(string sql, params ReadOnlySpan<object?> arguments)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            command = _connection.CreateCommand();
#pragma warning disable CA2100 // Only constants of this assembly are passed; values are bound.
            command.CommandText = sql;
#pragma warning restore CA2100
            for (int i = 0; i < arguments.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = "$" + (i + 1).ToString(CultureInfo.InvariantCulture) });
            }

            _commands.Add(sql, command);
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        }

        return command;
    }

    public void Run(string sql) => Command(sql).ExecuteNonQuery();

    public void Dispose()
    {
        foreach (SqliteCommand command in _commands.Values)
        {
            command.Dispose();
        }

        _connection.Dispose();
    }
}
