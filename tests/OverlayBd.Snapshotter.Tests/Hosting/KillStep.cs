// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests.Hosting;

/// <summary>A moment of an RPC: before the nth of some system calls.</summary>
internal sealed record KillStep(string Rpc, string Calls, int Number)
{
    public override string ToString() => $"{Rpc} before {Calls} {Number}";
}
