// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Filters;

/// <summary>containerd's filters for listing: selectors joined by commas must all match, of several filters one.</summary>
internal sealed class SnapshotFilter
{
    private readonly List<Selector[]> _alternatives;

    private SnapshotFilter(List<Selector[]> alternatives) => _alternatives = alternatives;

    /// <summary>Reads filters; none, or an empty one, matches everything.</summary>
    /// <exception cref="SnapshotException">A filter is malformed; the message says where.</exception>
    public static SnapshotFilter Parse(IEnumerable<string> filters)
    {
        List<Selector[]> alternatives = [];
        foreach (string filter in filters)
        {
            alternatives.Add(new FilterParser(filter).Parse());
        }

        return new(alternatives);
    }

    public bool Matches(SnapshotInfo info) =>
        _alternatives.Count == 0 || _alternatives.Any(selectors => selectors.All(selector => selector.Matches(info)));
}
