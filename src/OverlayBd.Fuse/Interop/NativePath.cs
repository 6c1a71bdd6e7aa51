// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Fuse.Interop;

/// <summary>Paths as the kernel takes them: UTF-8 with a closing zero byte.</summary>
internal static class NativePath
{
    /// <summary>Encodes a path; a zero byte inside it is an argument error.</summary>
    public static byte[] Encode(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A path cannot contain a zero byte.", nameof(path));
        }

        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }
}
