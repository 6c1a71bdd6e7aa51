// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using OverlayBd.Format.Oci;

namespace OverlayBd.Registry;

/// <summary>The name of an image in a registry: <c>[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]</c>.</summary>
/// <remarks>
/// The grammar is that of distribution's reference package. A name without a host means <c>docker.io</c>, and there a name of one component
/// means <c>library/</c> and that component.
/// </remarks>
public sealed partial record ImageReference
{
    /// <summary>The registry that a name without one means.</summary>
    public const string DefaultRegistry = "docker.io";

    /// <summary>The tag that a name without one means.</summary>
    public const string DefaultTag = "latest";

    private const int MaxNameLength = 255;
    private const int MaxLength = MaxNameLength + 129 + 136;

    private ImageReference(string registry, string repository, string? tag, Digest? digest)
    {
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Gets the registry as <c>HOST[:PORT]</c>.</summary>
    public string Registry { get; }

    /// <summary>Gets the repository, such as <c>library/redis</c>.</summary>
    public string Repository { get; }

    /// <summary>Gets the tag, or <see langword="null"/> when the name has none.</summary>
    public string? Tag { get; }

    /// <summary>Gets the digest, or <see langword="null"/> when the name has none.</summary>
    public Digest? Digest { get; }

    /// <summary>Gets what to ask the repository for: the digest, else the tag, else <see cref="DefaultTag"/>.</summary>
    public string TagOrDigest => Digest?.ToString() ?? Tag ?? DefaultTag;

    /// <summary>Gets the host and port that serve the registry; another one than <see cref="Registry"/> for docker.io.</summary>
    internal string Endpoint => Registry == DefaultRegistry ? "registry-1.docker.io" : Registry;

    /// <summary>Reads a reference.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The reference.</returns>
    /// <exception cref="FormatException">The text is not a reference; the message says why.</exception>
    public static ImageReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out ImageReference? reference, out string? problem)
            ? reference
            : throw new FormatException($"'{Redaction.Clean(text, 300)}' is not an image reference: {problem}.");
    }

    /// <summary>Reads a reference, if <paramref name="text"/> is one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="reference">The reference, or <see langword="null"/>.</param>
    /// <returns>Whether the text is a reference.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference) =>
        TryParse(text, out reference, out _);

    /// <summary>Names the same repository with another tag.</summary>
    /// <param name="tag">The tag.</param>
    /// <returns>The reference, without a digest.</returns>
    /// <exception cref="FormatException"><paramref name="tag"/> is not a tag.</exception>
    public ImageReference WithTag(string tag) => IsTag(tag)
        ? new ImageReference(Registry, Repository, tag, null)
        : throw new FormatException($"'{Redaction.Clean(tag, 160)}' is not a tag.");

    /// <summary>Names the same repository with a digest.</summary>
    /// <param name="digest">The digest.</param>
    /// <returns>The reference, without a tag.</returns>
    public ImageReference WithDigest(Digest digest) => new(Registry, Repository, null, digest);

    /// <summary>Writes the reference in full.</summary>
    /// <returns>The text, with the registry, and with tag and digest where they were given.</returns>
    public override string ToString() =>
        $"{Registry}/{Repository}{(Tag is null ? "" : ":" + Tag)}{(Digest is null ? "" : "@" + Digest)}";

    /// <summary>Tells whether a text is a tag: a letter, digit or underscore, and up to 127 more of them, dots and hyphens.</summary>
    internal static bool IsTag([NotNullWhen(true)] string? text) => text is { Length: > 0 and <= 128 } && TagPattern().IsMatch(text);

    internal static bool IsRepository([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= MaxNameLength } && PathPattern().IsMatch(text);

    private static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? problem)
    {
        reference = null;
        problem = null;
        if (string.IsNullOrEmpty(text))
        {
            problem = "it is empty";
            return false;
        }

        if (text.Length > MaxLength)
        {
            problem = $"it is longer than {MaxLength} characters";
            return false;
        }

        string name = text;
        Digest? digest = null;
        int at = name.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            if (!Format.Oci.Digest.TryParse(name[(at + 1)..], out Digest parsed))
            {
                problem = "what follows '@' is not a sha256 or sha512 digest";
                return false;
            }

            digest = parsed;
            name = name[..at];
        }

        string? tag = null;
        int colon = name.LastIndexOf(':');
        if (colon > name.LastIndexOf('/'))
        {
            tag = name[(colon + 1)..];
            name = name[..colon];
            if (!IsTag(tag))
            {
                problem = $"'{Redaction.Clean(tag, 160)}' is not a tag";
                return false;
            }
        }

        (string registry, string repository) = Split(name);
        if (!HostPattern().IsMatch(registry))
        {
            problem = $"'{Redaction.Clean(registry, 300)}' is not a host name";
        }
        else if (!PathPattern().IsMatch(repository))
        {
            problem = "a repository is made of lower-case letters, digits, and single separators ('.', '_', '-', '/') between them";
        }
        else if (registry.Length + 1 + repository.Length > MaxNameLength)
        {
            problem = $"the name is longer than {MaxNameLength} characters";
        }
        else
        {
            reference = new ImageReference(registry, repository, tag, digest);
        }

        return problem is null && reference is not null;
    }

    private static (string Registry, string Repository) Split(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string first = slash < 0 ? "" : name[..slash];
        bool isHost = first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal)
            || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        string registry = isHost ? first : DefaultRegistry;
        string repository = isHost ? name[(slash + 1)..] : name;
        if (registry is "index.docker.io" or "registry-1.docker.io")
        {
            registry = DefaultRegistry;
        }

        if (registry == DefaultRegistry && !repository.Contains('/', StringComparison.Ordinal))
        {
            repository = "library/" + repository;
        }

        return (registry, repository);
    }

    [GeneratedRegex(@"\A\w[\w.-]{0,127}\z", RegexOptions.ECMAScript)]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\z")]
    private static partial Regex HostPattern();

    [GeneratedRegex(@"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex PathPattern();
}
