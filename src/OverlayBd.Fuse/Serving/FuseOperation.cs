// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Serving;

/// <summary>What a request does to the store; the index of its counters.</summary>
internal enum FuseOperation
{
    Read,
    Write,
    Discard,
    Flush,
}
