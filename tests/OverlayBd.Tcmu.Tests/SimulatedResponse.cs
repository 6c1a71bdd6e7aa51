// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Tests;

internal sealed record SimulatedResponse(ushort Id, byte Status, byte[] Sense, uint? ReadLength, byte[] Data)
{
    public (int Key, int Code) Error => (Sense[2], (Sense[12] << 8) | Sense[13]);
}
