// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Trees;

/// <summary>A layer of the <see cref="TortureImage"/>.</summary>
/// <param name="Tar">The archive.</param>
/// <param name="Blob">The archive as stored, possibly compressed.</param>
/// <param name="MediaType">What <paramref name="Blob"/> is.</param>
public sealed record TortureLayer(byte[] Tar, byte[] Blob, string MediaType);
