// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Hosts.Tests;

/// <summary>How a program ended and what it wrote.</summary>
internal sealed record ProgramOutcome(int Status, string Output, string Error)
{
    public string LastErrorLine => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault("");
}
