// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Registries;

internal enum FaultKind
{
    Abort,
    Hang,
    Status,
    IgnoreRange,
    WrongBytes,
    NoContentRange,
    CloseAfter,
    StallAfter,
    ShorterBy,
    ShiftedBy,
    WrongTotal,
    OtherBlob,
    Redirect,
}
