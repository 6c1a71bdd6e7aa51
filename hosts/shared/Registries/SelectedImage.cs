// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Registries;

/// <summary>The manifest that was found for a name.</summary>
internal sealed record SelectedImage(Descriptor Descriptor, Manifest Manifest);
