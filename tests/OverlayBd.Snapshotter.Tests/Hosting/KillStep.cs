// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>A moment of an RPC: before the nth of some system calls, or the first on a file of the snapshot.</summary>
internal sealed record KillStep(string Rpc, string Calls, int Number = 1, string? File = null)
{
    public override string ToString() => $"{Rpc} before {Calls} {Number} {File}";
}
