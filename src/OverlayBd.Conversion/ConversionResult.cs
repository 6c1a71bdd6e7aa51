// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion;

/// <summary>What a conversion made.</summary>
/// <param name="Target">What the target's tag names now: a manifest, or an index when all platforms were converted.</param>
/// <param name="Manifests">The converted manifests, one a platform.</param>
public sealed record ConversionResult(Descriptor Target, IReadOnlyList<ConvertedManifest> Manifests);
