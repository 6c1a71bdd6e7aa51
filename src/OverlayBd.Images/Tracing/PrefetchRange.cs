// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Tracing;

/// <summary>A part of a layer to bring near, in bytes of its bare LSMT file.</summary>
internal readonly record struct PrefetchRange(int Layer, long Offset, long Length)
{
    public long End => Offset + Length;
}
