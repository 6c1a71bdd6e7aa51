// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>How one registry is spoken to.</summary>
/// <param name="Host">The registry as <c>HOST[:PORT]</c>, as it stands in the URL.</param>
/// <param name="Insecure">Whether it is plain HTTP.</param>
public sealed record RegistryHostOptions(string Host, bool Insecure);
