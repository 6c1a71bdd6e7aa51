// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Diagnosis;

internal enum FindingState
{
    Good,

    /// <summary>It is not there, and only some verbs miss it.</summary>
    Optional,

    /// <summary>It is not there, and nothing can be attached without it.</summary>
    Missing,
}
