// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Http;

/// <summary>How often one operation may still be tried. One operation has one budget, however many requests it takes.</summary>
internal sealed class AttemptBudget(int attempts)
{
    public int Used { get; private set; }

    public bool IsSpent => Used >= attempts;

    public void Spend() => Used++;
}
