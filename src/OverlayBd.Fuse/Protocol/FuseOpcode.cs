// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Protocol;

/// <summary>What the kernel asks for (<c>enum fuse_opcode</c>, linux/fuse.h); only those that get an answer of their own.</summary>
internal enum FuseOpcode : uint
{
    Lookup = 1,
    Forget = 2,
    GetAttributes = 3,
    SetAttributes = 4,
    Open = 14,
    Read = 15,
    Write = 16,
    StatFs = 17,
    Release = 18,
    FSync = 20,
    Flush = 25,
    Init = 26,
    Access = 34,
    Interrupt = 36,
    Destroy = 38,
    BatchForget = 42,
    FAllocate = 43,
}
