// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containers;

/// <summary>Who a process runs as.</summary>
/// <param name="Uid">The user's number.</param>
/// <param name="Gid">The group's number.</param>
/// <param name="AdditionalGids">The further groups the user is in.</param>
/// <param name="Home">The user's directory; null when the image does not know the user.</param>
internal sealed record ContainerUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids, string? Home);
