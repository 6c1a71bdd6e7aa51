// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>What failed, why, and what to try.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">What failed and where, as one sentence without secrets.</param>
/// <param name="Cause">The messages of the causes, outermost first.</param>
internal sealed record ErrorDetail(string Code, string Message, IReadOnlyList<string>? Cause = null);
