// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containers;

/// <summary>The users and groups of an image: its own /etc/passwd and /etc/group.</summary>
internal sealed class UserDatabase
{
    private const int NameField = 0;
    private const int UidField = 2;
    private const int GidField = 3;
    private const int HomeField = 5;
    private const int MembersField = 3;

    private readonly List<string[]> _users;
    private readonly List<string[]> _groups;

    private UserDatabase(List<string[]> users, List<string[]> groups)
    {
        _users = users;
        _groups = groups;
    }

    public static UserDatabase Read(string root) => new(ReadFile(root, "/etc/passwd", GidField + 1), ReadFile(root, "/etc/group", UidField + 1));

    /// <summary>Resolves <c>user</c>, <c>uid</c>, <c>user:group</c> or <c>uid:gid</c>, as an image names it.</summary>
    public ContainerUser Resolve(string? text)
    {
        string[] parts = (text ?? "").Split(':', 2);
        string userName = parts[0].Length == 0 ? "0" : parts[0];
        string[]? user = _users.Find(fields => fields[NameField] == userName)
            ?? _users.Find(fields => fields[UidField] == userName);
        uint uid = user is not null ? Number(user[UidField])
            : uint.TryParse(userName, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number
            : throw new CommandException($"The image has no user {userName} in its /etc/passwd.", "--user with a number.");
        uint gid = parts.Length == 2 ? ResolveGroup(parts[1]) : user is not null ? Number(user[GidField]) : 0;

        // A group that is asked for by name replaces the user's groups, as docker has it.
        uint[] further = parts.Length == 2 || user is null
            ? []
            : [.. _groups.Where(group => IsMember(group, user[NameField])).Select(group => Number(group[UidField])).Where(g => g != gid)];
        return new(uid, gid, further, user is { Length: > HomeField } ? user[HomeField] : null);
    }

    private uint ResolveGroup(string name) =>
        _groups.Find(fields => fields[NameField] == name) is { } group ? Number(group[UidField])
        : uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number
        : throw new CommandException($"The image has no group {name} in its /etc/group.", "--user with numbers.");

    private static bool IsMember(string[] group, string user) =>
        group.Length > MembersField && group[MembersField].Split(',').Contains(user);

    private static uint Number(string field) => uint.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
        ? number
        : throw new CommandException($"The image's user database holds {field} where a number belongs.");

    private static List<string[]> ReadFile(string root, string path, int fields)
    {
        string file = RootedPath.Resolve(root, path);
        return File.Exists(file) ? [.. File.ReadLines(file).Select(line => line.Split(':')).Where(line => line.Length >= fields)] : [];
    }
}
