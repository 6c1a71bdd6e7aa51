// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion;

/// <summary>One converted manifest: that of one platform.</summary>
/// <param name="Original">The original manifest.</param>
/// <param name="Converted">The manifest of the overlaybd image.</param>
/// <param name="Layers">The layers, bottom first.</param>
public sealed record ConvertedManifest(Descriptor Original, Descriptor Converted, IReadOnlyList<ConvertedLayer> Layers);
