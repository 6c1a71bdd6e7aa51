// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>What a new writable layer is.</summary>
public sealed class LsmtWritableOptions
{
    /// <summary>Gets or sets the size of the virtual disk.</summary>
    /// <value>Bytes, a multiple of 512. The default is 0: that of the lower image, if there is one.</value>
    public long VirtualSize { get; set; }

    /// <summary>Gets or sets the layer's identity.</summary>
    /// <value>A UUID with dashes, in either case. The default is a random one.</value>
    public string? Uuid { get; set; }

    /// <summary>Gets or sets the identity of the layer below.</summary>
    /// <value>A UUID with dashes, in either case. The default is that of the lower image's top layer; all zeros without one.</value>
    public string? ParentUuid { get; set; }

    /// <summary>Gets or sets the system calls of a sparse layer; giving them makes the layer a sparse one.</summary>
    /// <value>The default is none: a log-structured layer.</value>
    public ISparseFiles? SparseFiles { get; set; }

    /// <exception cref="ArgumentException">An option is malformed.</exception>
    internal LsmtHeader CreateHeader(LsmtImage? lower)
    {
        if (VirtualSize is < 0 or > LsmtConstants.MaxVirtualSize || VirtualSize % LsmtConstants.SectorSize != 0)
        {
            throw new ArgumentException(
                $"A virtual size is a multiple of {LsmtConstants.SectorSize} from 0 to {LsmtConstants.MaxVirtualSize}, not {VirtualSize}.");
        }

        return new LsmtHeader
        {
            Flags = LsmtHeaderFlags.Header | LsmtHeaderFlags.DataFile | (SparseFiles is null ? 0 : LsmtHeaderFlags.SparseData),
            VirtualSize = (ulong)(VirtualSize == 0 && lower is not null ? lower.Length : VirtualSize),
            Uuid = LsmtUuid.Normalize(Uuid, nameof(Uuid)) ?? LsmtUuid.Create(),
            ParentUuid = LsmtUuid.Normalize(ParentUuid, nameof(ParentUuid)) ?? lower?.Layers[^1].Uuid ?? LsmtUuid.Null,
        };
    }
}
