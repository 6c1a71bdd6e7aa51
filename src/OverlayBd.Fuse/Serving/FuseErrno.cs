// SPDX-License-Identifier: Apache-2.0

using Tmds.Linux;

namespace OverlayBd.Fuse.Serving;

/// <summary>Which errno the kernel gets for what a store threw: translated here and nowhere else.</summary>
internal static class FuseErrno
{
    /// <summary>The positive errno for an exception of a store.</summary>
    public static int Of(Exception exception, FuseOperation operation) => exception switch
    {
        ObjectDisposedException => LibC.EIO,
        InvalidOperationException when operation is FuseOperation.Write or FuseOperation.Discard => LibC.EROFS,
        // .NET reports a full disk with the errno as HResult; the block layer has a status of its own for it.
        IOException { HResult: var result } when result == LibC.ENOSPC => LibC.ENOSPC,
        _ => LibC.EIO,
    };
}
