// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Serving;

/// <summary>Leaves a worker's loop when the connection was aborted; never leaves the library.</summary>
internal sealed class FuseAbortedException : Exception;
