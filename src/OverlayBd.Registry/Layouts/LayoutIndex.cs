// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Registry.Layouts;

/// <summary>The index.json of a layout: which manifests it holds and what they are called.</summary>
internal static class LayoutIndex
{
    /// <summary>The annotation that holds a manifest's tag (OCI image specification, annotations.md).</summary>
    public const string ReferenceName = "org.opencontainers.image.ref.name";

    public static readonly ImageIndex Empty = new() { SchemaVersion = 2, MediaType = MediaTypes.OciIndex };

    /// <summary>Finds a manifest by tag or digest; by null the only one, or the one called latest.</summary>
    /// <exception cref="RegistryException">There is none, or there are several.</exception>
    public static Descriptor? Find(ImageIndex index, string? tagOrDigest, string name)
    {
        if (Digest.TryParse(tagOrDigest, out Digest digest))
        {
            return index.Manifests.FirstOrDefault(manifest => manifest.Digest == digest);
        }

        if (tagOrDigest is null)
        {
            Descriptor[] distinct = [.. index.Manifests.DistinctBy(manifest => manifest.Digest)];
            if (distinct.Length == 1)
            {
                return distinct[0];
            }
        }

        string tag = tagOrDigest ?? ImageReference.DefaultTag;
        return index.Manifests.LastOrDefault(manifest => TagOf(manifest) == tag) ?? throw new RegistryException(
            RegistryError.NotFound,
            tagOrDigest is null
                ? $"{name} holds {index.Manifests.Count} images, none called {tag}; name one of: {Tags(index)}."
                : $"{name} holds no image called '{Redaction.Clean(tag, 160)}'; it holds: {Tags(index)}.");
    }

    /// <summary>Adds a manifest; its tag is taken from any other that had it, and what an added index refers to leaves the top
    /// level.</summary>
    public static ImageIndex Add(ImageIndex index, Descriptor manifest, string? tag, IReadOnlyList<Descriptor> children)
    {
        var kept = new List<Descriptor>();
        foreach (Descriptor entry in index.Manifests)
        {
            string? name = TagOf(entry);
            bool replaced = name is null
                ? entry.Digest == manifest.Digest || children.Any(child => child.Digest == entry.Digest)
                : name == tag;
            if (!replaced)
            {
                kept.Add(entry);
            }
        }

        if (tag is not null || !kept.Exists(entry => entry.Digest == manifest.Digest))
        {
            kept.Add(tag is null
                ? manifest
                : manifest with { Annotations = new Dictionary<string, string> { [ReferenceName] = tag } });
        }

        return index with { Manifests = kept };
    }

    private static string? TagOf(Descriptor manifest) => manifest.Annotations?.GetValueOrDefault(ReferenceName);

    private static string Tags(ImageIndex index)
    {
        string[] tags = [.. index.Manifests.Select(TagOf).OfType<string>().Take(20)];
        return tags.Length == 0 ? "no tags" : Redaction.Clean(string.Join(", ", tags), 600);
    }
}
