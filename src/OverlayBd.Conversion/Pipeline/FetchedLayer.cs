// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Pipeline;

/// <summary>An original layer, fetched to a file and checked against its digest.</summary>
internal sealed record FetchedLayer(SourceLayer Source, string Path);
