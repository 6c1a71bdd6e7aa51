// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace OverlayBd.Tcmu.Ring;

/// <summary>The mapped memory of a device as <see cref="Memory{T}"/>, so that data moves without a copy.</summary>
/// <remarks>The mapping belongs to the device, which is not unmapped before every command has ended.</remarks>
internal sealed unsafe class RingMemory(byte* start, int length) : MemoryManager<byte>
{
    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
