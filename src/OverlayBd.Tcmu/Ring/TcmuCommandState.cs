// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>How far a command has come that its store did not end at once.</summary>
internal enum TcmuCommandState
{
    /// <summary>The store has it.</summary>
    Running,

    /// <summary>The store has ended it, and it is being answered.</summary>
    Ending,

    /// <summary>It was answered although the store has not ended it; the kernel keeps its data area until the store has.</summary>
    GivenUp,
}
