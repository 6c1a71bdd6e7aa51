// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Registries;

/// <summary>Finds the one manifest that a name stands for: of an index, the entry for a platform.</summary>
internal static class ImageSelection
{
    /// <summary>The platform of this machine, in Go's names.</summary>
    public static Platform ThisMachine { get; } = new()
    {
        Os = "linux",
        Architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "amd64",
            Architecture.Arm64 => "arm64",
            Architecture.X86 => "386",
            Architecture.Arm => "arm",
            Architecture other => other.ToString().ToLowerInvariant(),
        },
    };

    /// <summary>Fetches the manifest of an image.</summary>
    /// <param name="repository">Where the image is.</param>
    /// <param name="tagOrDigest">Its name there; null for the only or the latest one.</param>
    /// <param name="platform">What it is to run on; null for this machine.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <exception cref="InvalidDataException">The index has no such platform, or the document is no manifest.</exception>
    public static async Task<SelectedImage> FindAsync(
        ImageRepository repository, string? tagOrDigest, Platform? platform, CancellationToken cancellationToken)
    {
        ManifestContent content = await repository.GetManifestAsync(tagOrDigest, cancellationToken);
        if (content.AsIndex() is { } index)
        {
            Descriptor entry = Choose(index, platform ?? ThisMachine, repository.Name);
            content = await repository.GetManifestAsync(entry.Digest.ToString(), cancellationToken);
        }

        Manifest manifest = content.AsManifest()
            ?? throw new InvalidDataException($"{repository.Name}: {content.Descriptor.Digest} is no image: {content.Descriptor.MediaType}.");
        return new(content.Descriptor, manifest);
    }

    /// <summary>Reads <c>os/architecture[/variant]</c>.</summary>
    public static bool TryParsePlatform(string text, out Platform? platform)
    {
        string[] parts = text.Split('/');
        bool isValid = parts.Length is 2 or 3 && parts.All(part => part.Length > 0);
        platform = isValid ? new() { Os = parts[0], Architecture = parts[1], Variant = parts.ElementAtOrDefault(2) } : null;
        return isValid;
    }

    private static Descriptor Choose(ImageIndex index, Platform wanted, string name)
    {
        Descriptor[] images = [.. index.Manifests.Where(entry => MediaTypes.IsManifest(entry.MediaType))];
        Descriptor? match = Array.Find(images, entry => Suits(entry.Platform, wanted));
        if (match is null && images is [{ Platform: null } only])
        {
            match = only;
        }

        return match ?? throw new InvalidDataException(
            $"{name}: the index has no image for {wanted}; it has {string.Join(", ", images.Select(entry => entry.Platform?.ToString() ?? "unknown"))}.");
    }

    private static bool Suits(Platform? offered, Platform wanted) =>
        offered is not null && offered.Os == wanted.Os && offered.Architecture == wanted.Architecture
        && (wanted.Variant is null || offered.Variant == wanted.Variant);
}
