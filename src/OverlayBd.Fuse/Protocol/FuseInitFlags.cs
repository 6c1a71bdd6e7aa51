// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Protocol;

/// <summary>What kernel and server agree on at the start (<c>FUSE_INIT</c> flags, linux/fuse.h).</summary>
[Flags]
internal enum FuseInitFlags : uint
{
    None = 0,
    AsyncRead = 1 << 0,
    BigWrites = 1 << 5,
    AsyncDirectIo = 1 << 15,
    ParallelDirectoryOperations = 1 << 18,
    HandleKillPrivileges = 1 << 19,
    AbortError = 1 << 21,
    MaxPages = 1 << 22,
    InitExtension = 1 << 30,

    /// <summary>
    /// What is asked for. Asynchronous direct I/O is what lets the loop device have many requests in flight; the write-back
    /// cache is left out on purpose: it would be a second dirty cache under the file system's own.
    /// </summary>
    Wanted = AsyncRead | BigWrites | AsyncDirectIo | ParallelDirectoryOperations | HandleKillPrivileges
        | AbortError | MaxPages | InitExtension,
}
