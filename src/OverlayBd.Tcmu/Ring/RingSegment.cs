// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>A piece of the data area, in bytes from the start of the mapping.</summary>
internal readonly record struct RingSegment(int Offset, int Length);
