// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>What a token is to allow: actions on one repository, and pulling from a second one when a blob is mounted.</summary>
internal readonly record struct TokenScope(string Repository, bool Push, string? MountFrom = null)
{
    public IEnumerable<string> ToScopes()
    {
        yield return $"repository:{Repository}:{(Push ? "pull,push" : "pull")}";
        if (MountFrom is not null)
        {
            yield return $"repository:{MountFrom}:pull";
        }
    }

    /// <summary>
    /// The scopes to ask for when a challenge names some: the challenge's where it names another repository, since a mirror may rewrite
    /// names,
    /// and else the union with ours, since a challenge to a read does not speak of the write that follows.
    /// </summary>
    public IReadOnlyList<string> Merge(string? challenged)
    {
        string[] own = [.. ToScopes()];
        if (string.IsNullOrWhiteSpace(challenged))
        {
            return own;
        }

        string prefix = $"repository:{Repository}:";
        List<string> merged = [.. challenged.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(
            scope => !scope.StartsWith(prefix, StringComparison.Ordinal) && !own.Contains(scope))];
        bool renamed = merged.Exists(scope => scope.StartsWith("repository:", StringComparison.Ordinal)) && merged.Count > 0
            && !challenged.Contains(prefix, StringComparison.Ordinal);
        return renamed ? merged : [.. own, .. merged];
    }
}
