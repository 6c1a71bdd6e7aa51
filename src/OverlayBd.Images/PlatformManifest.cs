// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images;

/// <summary>Finds the manifest of one platform behind a tag or a digest.</summary>
public static class PlatformManifest
{
    // An index may list indexes; nobody nests them deeper, and a loop has to end.
    private const int MaxDepth = 3;

    /// <summary>Gets the platform of this machine: Linux on its architecture.</summary>
    public static Platform Current { get; } = new()
    {
        Os = "linux",
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "amd64",
            Architecture.X86 => "386",
            Architecture.Arm64 => "arm64",
            Architecture.Arm or Architecture.Armv6 => "arm",
            Architecture.LoongArch64 => "loong64",
            Architecture architecture => architecture.ToString().ToLowerInvariant(),
        },
    };

    /// <summary>Finds the manifest of a platform. An image without an index has only one, which is taken as it is.</summary>
    /// <param name="repository">Where to look.</param>
    /// <param name="tagOrDigest">The tag or digest; <see langword="null"/> for the repository's own default.</param>
    /// <param name="platform">The platform; <see langword="null"/> for <see cref="Current"/>. Without a variant any variant will
    /// do.</param>
    /// <param name="cancellationToken">Abandons the search.</param>
    /// <returns>The manifest, never an index.</returns>
    /// <exception cref="InvalidDataException">What was found is no manifest or index, or there is none for the platform; the message lists
    /// those there are.</exception>
    /// <exception cref="IOException">The repository cannot be reached, or refuses.</exception>
    /// <exception cref="OperationCanceledException">The search was abandoned.</exception>
    public static async Task<ManifestContent> ResolveAsync(
        ImageRepository repository, string? tagOrDigest, Platform? platform = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        platform ??= Current;
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            ManifestContent content = await repository.GetManifestAsync(tagOrDigest, cancellationToken).ConfigureAwait(false);
            if (content.AsIndex() is not ImageIndex index)
            {
                return content;
            }

            tagOrDigest = Choose(index, platform, repository.Name).Digest.ToString();
        }

        throw new InvalidDataException($"{repository.Name}: the index leads to more than {MaxDepth} indexes.");
    }

    private static Descriptor Choose(ImageIndex index, Platform wanted, string name)
    {
        // Entries of an unknown platform are attestations, not images.
        List<Descriptor> images = [.. index.Manifests.Where(m => m.Platform?.Os != "unknown")];
        Descriptor? found = images.Find(m => m.Platform is Platform p && Matches(p, wanted))
            ?? (images is [{ Platform: null }] ? images[0] : null);
        return found ?? throw new InvalidDataException(
            $"{name}: the index has no image for {wanted}; it has {Describe(images)}.");
    }

    private static bool Matches(Platform platform, Platform wanted) =>
        platform.Os == wanted.Os
        && platform.Architecture == wanted.Architecture
        && (string.IsNullOrEmpty(wanted.Variant) || platform.Variant == wanted.Variant);

    private static string Describe(List<Descriptor> images) =>
        images.Count == 0
            ? "none at all"
            : string.Join(", ", images.Take(20).Select(m => m.Platform?.ToString() ?? "one without a platform"));
}
