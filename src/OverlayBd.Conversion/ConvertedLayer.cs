// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion;

/// <summary>Which block layer an original layer became.</summary>
/// <param name="Original">The original layer.</param>
/// <param name="Converted">The block layer, with the annotations that mark it as one.</param>
/// <param name="ChainId">The chain id of the original layers up to this one; the block layer's uuid is made of it.</param>
public sealed record ConvertedLayer(Descriptor Original, Descriptor Converted, Digest ChainId);
