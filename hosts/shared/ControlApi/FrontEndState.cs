// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>Whether devices can be shown to the kernel in one way.</summary>
/// <param name="Name">One of <see cref="FrontEnds"/>.</param>
/// <param name="Available">Whether it can be used.</param>
/// <param name="Reason">Why it cannot; none when it can.</param>
internal sealed record FrontEndState(string Name, bool Available, string? Reason = null);
