// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Devices;

/// <summary>What is known of a device that outlived its server.</summary>
/// <param name="Length">The length of its disk, in bytes.</param>
/// <param name="IsReadOnly">Whether its disk is read-only.</param>
/// <param name="Source">What was attached; null when no record says so.</param>
/// <param name="AttachedAt">When; null when no record says so.</param>
internal sealed record KnownDevice(long Length, bool IsReadOnly, string? Source = null, DateTimeOffset? AttachedAt = null);
