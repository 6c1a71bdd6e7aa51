// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace OverlayBd.Snapshotter.Filters;

/// <summary>One condition of a filter: a field, and what it has to be.</summary>
internal sealed class Selector
{
    private static readonly TimeSpan s_longestMatch = TimeSpan.FromSeconds(1);
    private readonly string[] _path;
    private readonly SelectorOperator _operator;
    private readonly string _value;
    private readonly Regex? _pattern;

    public Selector(string[] path, SelectorOperator @operator, string value)
    {
        _path = path;
        _operator = @operator;
        _value = value;
        _pattern = @operator == SelectorOperator.Matches ? TryCompile(value) : null;
    }

    public bool Matches(SnapshotInfo info)
    {
        bool isPresent = TryRead(info, out string value);
        return _operator switch
        {
            SelectorOperator.Present => isPresent,
            SelectorOperator.Equal => isPresent && value == _value,
            SelectorOperator.NotEqual => value != _value,
            _ => _pattern?.IsMatch(value) ?? false,
        };
    }

    // An expression that is none matches nothing, as in containerd.
    private static Regex? TryCompile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, s_longestMatch);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private bool TryRead(SnapshotInfo info, out string value)
    {
        value = "";
        switch (_path[0])
        {
            case "name":
                value = info.Name;
                return true;
            case "parent":
                value = info.Parent;
                return true;
            case "kind":
                value = info.Kind switch { SnapshotKind.View => "view", SnapshotKind.Active => "active", _ => "committed" };
                return true;
            case "labels" when info.Labels.TryGetValue(string.Join('.', _path.Skip(1)), out string? label):
                value = label;
                return true;
            default:
                return false;
        }
    }
}
