// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Diagnosis;

/// <summary>One thing that was looked at.</summary>
/// <param name="State">How it is.</param>
/// <param name="Subject">What was looked at.</param>
/// <param name="Detail">What was found; what to do, when it is not there.</param>
internal sealed record Finding(FindingState State, string Subject, string Detail);
