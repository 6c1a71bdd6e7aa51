// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Interop;

/// <summary>What <see cref="IoUring"/> tells of something that was queued.</summary>
/// <param name="Key">What it was queued with.</param>
/// <param name="Result">The events of a watch; a negative error number when something failed.</param>
/// <param name="HasMore">Whether more will come of it.</param>
internal readonly record struct IoCompletion(ulong Key, int Result, bool HasMore);
