// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>A layer to convert, with what its position in the image decides.</summary>
/// <param name="Position">The position, from 0 at the bottom.</param>
/// <param name="Descriptor">The original layer.</param>
/// <param name="DiffId">The digest of the layer's tar.</param>
/// <param name="ChainId">The chain id of the layers up to this one.</param>
/// <param name="Uuid">The uuid of the block layer it becomes.</param>
/// <param name="ParentUuid">The uuid of the block layer below; null at the bottom.</param>
internal sealed record SourceLayer(
    int Position, Descriptor Descriptor, Digest DiffId, Digest ChainId, string Uuid, string? ParentUuid)
{
    /// <summary>What messages call the layer.</summary>
    public string Name => $"Layer {Position} ({Descriptor.Digest})";
}
