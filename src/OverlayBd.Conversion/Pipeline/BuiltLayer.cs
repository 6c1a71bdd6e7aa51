// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>A block layer in a local file, ready to be uploaded and to be built upon.</summary>
internal sealed record BuiltLayer(SourceLayer Source, Descriptor Descriptor, string Path);
