// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Containerd;

/// <summary>The labels by which containerd's garbage collection finds what content refers to (docs/garbage-collection.md there).</summary>
internal static class GcLabels
{
    private const string Reference = "containerd.io/gc.ref.content.";
    private const string Source = "containerd.io/distribution.source.";

    // containerd refuses a label whose key and value are longer than this together.
    private const int MaxLabelLength = 4096;

    /// <summary>The label of the digest of a layer's tar, which shows that it has been checked.</summary>
    public const string Uncompressed = "containerd.io/uncompressed";

    /// <summary>From an image's config to the snapshot of its top layer.</summary>
    public static string Snapshot(string snapshotter) => "containerd.io/gc.ref.snapshot." + snapshotter;

    /// <summary>From a manifest to its config and layers.</summary>
    public static Dictionary<string, string> Of(Manifest manifest)
    {
        Dictionary<string, string> labels = new() { [Reference + "config"] = manifest.Config.Digest.ToString() };
        for (int i = 0; i < manifest.Layers.Count; i++)
        {
            labels[string.Create(CultureInfo.InvariantCulture, $"{Reference}l.{i}")] = manifest.Layers[i].Digest.ToString();
        }

        return labels;
    }

    /// <summary>From an index to its manifests, fetched or not.</summary>
    public static Dictionary<string, string> Of(ImageIndex index)
    {
        Dictionary<string, string> labels = [];
        for (int i = 0; i < index.Manifests.Count; i++)
        {
            labels[string.Create(CultureInfo.InvariantCulture, $"{Reference}m.{i}")] = index.Manifests[i].Digest.ToString();
        }

        return labels;
    }

    /// <summary>Where content came from, so that a push to the same registry can mount it. Earlier sources are kept.</summary>
    public static void AddSource(Dictionary<string, string> labels, IReadOnlyDictionary<string, string>? present, ImageReference reference)
    {
        int port = reference.Registry.LastIndexOf(':');
        string host = port > reference.Registry.LastIndexOf(']') ? reference.Registry[..port] : reference.Registry;
        string key = Source + host.Trim('[', ']');
        SortedSet<string> repositories = new(StringComparer.Ordinal) { reference.Repository };
        if (present?.GetValueOrDefault(key) is { } earlier)
        {
            repositories.UnionWith(earlier.Split(',', StringSplitOptions.RemoveEmptyEntries));
        }

        string value = string.Join(',', repositories);
        if (key.Length + value.Length <= MaxLabelLength)
        {
            labels[key] = value;
        }
    }
}
