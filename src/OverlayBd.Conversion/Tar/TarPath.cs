// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Lexical cleaning of archive paths, with the outcome that Go's <c>filepath.Clean</c> gives the container engines.</summary>
internal static class TarPath
{
    /// <summary>Removes empty, "." and resolvable ".." components, and the slashes at both ends.</summary>
    /// <param name="path">The path as the archive has it.</param>
    /// <param name="cleaned">The path relative to the root; empty for the root itself.</param>
    /// <returns>False when a relative path climbs out of the root. An absolute one cannot: the root is its own parent.</returns>
    public static bool TryClean(ReadOnlySpan<byte> path, out byte[] cleaned)
    {
        bool rooted = path.StartsWith((byte)'/');
        byte[] result = new byte[path.Length];
        int length = 0;
        foreach (Range range in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> component = path[range];
            if (component.IsEmpty || component.SequenceEqual("."u8))
            {
                continue;
            }

            if (component.SequenceEqual(".."u8))
            {
                if (length == 0 && !rooted)
                {
                    cleaned = [];
                    return false;
                }

                length = Math.Max(0, result.AsSpan(0, length).LastIndexOf((byte)'/'));
                continue;
            }

            if (length != 0)
            {
                result[length++] = (byte)'/';
            }

            component.CopyTo(result.AsSpan(length));
            length += component.Length;
        }

        if (length != result.Length)
        {
            Array.Resize(ref result, length);
        }

        cleaned = result;
        return true;
    }
}
