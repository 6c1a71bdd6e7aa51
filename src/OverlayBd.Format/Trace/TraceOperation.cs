// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Trace;

/// <summary>What a <see cref="TraceRecord"/> tells of. The values are the bytes of the file (overlaybd <c>src/prefetch.cpp</c>).</summary>
public enum TraceOperation
{
    /// <summary>A read.</summary>
    Read = 'R',

    /// <summary>A write; the original knows it and never records one.</summary>
    Write = 'W',
}
