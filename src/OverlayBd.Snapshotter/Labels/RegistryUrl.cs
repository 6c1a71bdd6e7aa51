// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;

namespace OverlayBd.Snapshotter.Labels;

/// <summary>Where the blobs of an image are, by its reference: <c>https://HOST/v2/REPOSITORY/blobs</c>.</summary>
/// <remarks>containerd writes references in full: what stands before the first slash is the host.</remarks>
internal static partial class RegistryUrl
{
    private const int LongestReference = 1024;

    public static string BlobsOf(string reference, IReadOnlyList<RegistryHostOptions> registries)
    {
        Match parts = reference.Length <= LongestReference ? Reference().Match(reference) : Match.Empty;
        if (!parts.Success)
        {
            throw SnapshotException.Invalid(
                $"'{SnapshotException.Printable(reference)}' is not an image reference of the form HOST/REPOSITORY[:TAG][@DIGEST]");
        }

        string host = parts.Groups["host"].Value == "docker.io" ? "registry-1.docker.io" : parts.Groups["host"].Value;
        bool isPlain = registries.Any(registry => registry.Insecure && registry.Host == host);
        return $"{(isPlain ? "http" : "https")}://{host}/v2/{parts.Groups["repository"].Value}/blobs";
    }

    [GeneratedRegex(
        @"\A(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](?::[0-9]{1,5})?)"
        + @"/(?<repository>[a-z0-9]+(?:(?:\.|_|__|-+|/)[a-z0-9]+)*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9+._-]+:[0-9A-Za-z]+)?\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
