// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Ext4;

/// <summary>The name of an extended attribute as ext4 stores it: the namespace as a number, and the rest.</summary>
/// <remarks>Source: Linux Documentation/filesystems/ext4/attributes.rst, "Attribute Name Indices".</remarks>
internal readonly record struct AttributeName(byte Index, byte[] Suffix)
{
    internal const byte AccessAcl = 2;
    internal const byte DefaultAcl = 3;
    private const int LongestSuffix = 255;

    // Longer names first: the first that fits is taken.
    private static readonly (byte Index, byte[] Text, bool Whole)[] s_namespaces =
    [
        (AccessAcl, "system.posix_acl_access"u8.ToArray(), true),
        (DefaultAcl, "system.posix_acl_default"u8.ToArray(), true),
        (1, "user."u8.ToArray(), false),
        (4, "trusted."u8.ToArray(), false),
        (6, "security."u8.ToArray(), false),
    ];

    /// <summary>Splits a name; false for a namespace that Linux keeps no attributes of on ext4.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> name, out AttributeName result)
    {
        foreach ((byte index, byte[] text, bool whole) in s_namespaces)
        {
            if (whole ? name.SequenceEqual(text) : name.StartsWith(text) && name.Length > text.Length)
            {
                result = new AttributeName(index, name[text.Length..].ToArray());
                return result.Suffix.Length <= LongestSuffix;
            }
        }

        result = default;
        return false;
    }

    /// <summary>The order in which Linux expects attributes in a block: by namespace, by length, by bytes.</summary>
    internal static int Compare(AttributeName left, AttributeName right)
    {
        int order = left.Index.CompareTo(right.Index);
        order = order != 0 ? order : left.Suffix.Length.CompareTo(right.Suffix.Length);
        return order != 0 ? order : left.Suffix.AsSpan().SequenceCompareTo(right.Suffix);
    }

    /// <summary>The name as programs know it; null for a namespace that is not known here.</summary>
    internal byte[]? ToFullName()
    {
        foreach ((byte index, byte[] text, _) in s_namespaces)
        {
            if (index == Index)
            {
                return [.. text, .. Suffix];
            }
        }

        return null;
    }

    /// <summary>An attribute in the form ext4 stores; null when it is left out (<see cref="Ext4Attributes.ExtendedAttributes"/>).</summary>
    /// <exception cref="InvalidDataException">An access control list is malformed.</exception>
    internal static (AttributeName Name, byte[] Value)? ToStored(ExtendedAttribute attribute)
    {
        if (!TryParse(attribute.Name, out AttributeName name))
        {
            return null;
        }

        if (name.Index is not (AccessAcl or DefaultAcl))
        {
            return (name, attribute.Value);
        }

        return PosixAcl.TryToStored(attribute.Value, out byte[] stored)
            ? (name, stored)
            : throw new InvalidDataException($"The access control list of {attribute.Value.Length} bytes is malformed.");
    }
}
