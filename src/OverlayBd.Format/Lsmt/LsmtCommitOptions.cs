// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Format.Lsmt;

/// <summary>Identity and message of a layer that is committed or merged.</summary>
public sealed class LsmtCommitOptions
{
    /// <summary>Gets or sets the layer's identity.</summary>
    /// <value>A UUID with dashes, in either case. The default is none: all zeros, as the original's default.</value>
    public string? Uuid { get; set; }

    /// <summary>Gets or sets the identity of the layer below.</summary>
    /// <value>A UUID with dashes, in either case. The default is the one recorded in what is committed.</value>
    public string? ParentUuid { get; set; }

    /// <summary>Gets or sets the commit message.</summary>
    /// <value>At most 256 bytes of UTF-8. The default is none.</value>
    public string? UserTag { get; set; }

    /// <exception cref="ArgumentException">An option is malformed.</exception>
    internal LsmtHeader CreateHeader(long virtualSize, string recordedParentUuid)
    {
        if (UserTag is string tag && (tag.Contains('\0') || Encoding.UTF8.GetByteCount(tag) > LsmtHeader.UserTagSize))
        {
            throw new ArgumentException($"A user tag is at most {LsmtHeader.UserTagSize} bytes of UTF-8, none of them 0.");
        }

        return new LsmtHeader
        {
            Flags = LsmtHeaderFlags.Header | LsmtHeaderFlags.DataFile | LsmtHeaderFlags.Sealed,
            VirtualSize = (ulong)virtualSize,
            Uuid = LsmtUuid.Normalize(Uuid, nameof(Uuid)) ?? LsmtUuid.Null,
            ParentUuid = LsmtUuid.Normalize(ParentUuid, nameof(ParentUuid)) ?? recordedParentUuid,
            UserTag = UserTag ?? string.Empty,
        };
    }
}
