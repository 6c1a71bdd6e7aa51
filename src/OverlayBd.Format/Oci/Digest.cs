// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>The name of content by its hash: <c>sha256:</c> with 64, or <c>sha512:</c> with 128 lower-case hexadecimal digits.</summary>
/// <remarks>The syntax is that of the OCI image specification, descriptor.md, "Digests", limited to its two registered algorithms.
/// A digest is safe as a file name once the colon is dealt with: <see cref="Hex"/> holds digits only.</remarks>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    private const string Sha256Prefix = "sha256:";
    private const string Sha512Prefix = "sha512:";
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    private readonly string? _value;

    private Digest(string value) => _value = value;

    /// <summary>Gets the hash's name, <c>sha256</c> or <c>sha512</c>; empty for the default value.</summary>
    public string Algorithm => _value is null ? "" : _value[..6];

    /// <summary>Gets the hash in lower-case hexadecimal digits; empty for the default value.</summary>
    public string Hex => _value is null ? "" : _value[7..];

    /// <summary>Reads a digest.</summary>
    /// <param name="text">The text, such as <c>sha256:9f86d0…</c>.</param>
    /// <returns>The digest.</returns>
    /// <exception cref="FormatException">The text is not a digest.</exception>
    public static Digest Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out Digest digest)
            ? digest
            : throw new FormatException(
                $"'{(text.Length > 160 ? text[..160] + "…" : text)}' is not a digest; expected sha256: or sha512: and lower-case "
                + "hexadecimal digits.");
    }

    /// <summary>Reads a digest, if <paramref name="text"/> is one.</summary>
    /// <param name="text">The text, such as <c>sha256:9f86d0…</c>.</param>
    /// <param name="digest">The digest, or the default value.</param>
    /// <returns>Whether the text is a digest.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        bool valid = text is not null
            && ((text.Length == 7 + 64 && text.StartsWith(Sha256Prefix, StringComparison.Ordinal))
                || (text.Length == 7 + 128 && text.StartsWith(Sha512Prefix, StringComparison.Ordinal)))
            && !text.AsSpan(7).ContainsAnyExcept(s_digits);
        digest = valid ? new Digest(text!) : default;
        return valid;
    }

    /// <summary>Names <paramref name="content"/> by its SHA-256.</summary>
    /// <param name="content">The content.</param>
    /// <returns>The content's digest.</returns>
    public static Digest Sha256(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromSha256(hash);
    }

    /// <summary>Makes a digest of a hash that was computed already.</summary>
    /// <param name="hash">The SHA-256, 32 bytes.</param>
    /// <returns>The digest.</returns>
    /// <exception cref="ArgumentException">The hash is not 32 bytes long.</exception>
    public static Digest FromSha256(ReadOnlySpan<byte> hash) => hash.Length == SHA256.HashSizeInBytes
        ? new Digest(Sha256Prefix + Convert.ToHexStringLower(hash))
        : throw new ArgumentException($"A SHA-256 has {SHA256.HashSizeInBytes} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>Starts a hash of this digest's algorithm, to compare with <see cref="MatchesHash"/> once all content is in.</summary>
    /// <returns>The hash; the caller disposes it.</returns>
    /// <exception cref="InvalidOperationException">This is the default value.</exception>
    public IncrementalHash CreateHash() => Algorithm switch
    {
        "sha256" => IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
        "sha512" => IncrementalHash.CreateHash(HashAlgorithmName.SHA512),
        _ => throw new InvalidOperationException("The digest is empty."),
    };

    /// <summary>Tells whether <paramref name="hash"/> is the one this digest names.</summary>
    /// <param name="hash">A hash made with this digest's algorithm.</param>
    /// <returns>Whether they are equal.</returns>
    public bool MatchesHash(ReadOnlySpan<byte> hash) =>
        _value is not null && Hex.AsSpan().SequenceEqual(Convert.ToHexStringLower(hash));

    /// <summary>Tells whether <paramref name="content"/> is what this digest names.</summary>
    /// <param name="content">The whole content.</param>
    /// <returns>Whether its hash is this digest's.</returns>
    public bool Matches(ReadOnlySpan<byte> content) =>
        MatchesHash(Algorithm == "sha512" ? SHA512.HashData(content) : SHA256.HashData(content));

    /// <summary>Writes the digest as <c>algorithm:hex</c>.</summary>
    /// <returns>The text; empty for the default value.</returns>
    public override string ToString() => _value ?? "";
}
