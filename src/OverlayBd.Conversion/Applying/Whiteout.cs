// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Applying;

/// <summary>The names by which a layer says that something of lower layers is gone.</summary>
/// <remarks>Source: OCI image-spec, layer.md, "Whiteouts" and "Opaque Whiteout".</remarks>
internal static class Whiteout
{
    private static ReadOnlySpan<byte> Prefix => ".wh."u8;

    private static ReadOnlySpan<byte> OpaqueMarker => ".wh..wh..opq"u8;

    private static ReadOnlySpan<byte> BookkeepingPrefix => ".wh..wh."u8;

    /// <summary>Whether the name hides everything in its directory.</summary>
    internal static bool IsOpaque(ReadOnlySpan<byte> name) => name.SequenceEqual(OpaqueMarker);

    /// <summary>Whether the name belongs to aufs' own bookkeeping, which is no part of an image.</summary>
    internal static bool IsBookkeeping(ReadOnlySpan<byte> name) => name.StartsWith(BookkeepingPrefix) && !IsOpaque(name);

    /// <summary>Whether the name hides a sibling.</summary>
    /// <param name="name">The last component of an entry's path.</param>
    /// <param name="hidden">The sibling's name; possibly none that a file can have.</param>
    internal static bool TryGetHidden(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> hidden)
    {
        bool matches = name.StartsWith(Prefix);
        hidden = matches ? name[Prefix.Length..] : default;
        return matches;
    }
}
