// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>What a ring lies in: mapped memory and a doorbell.</summary>
internal abstract unsafe class RingDevice : IDisposable
{
    /// <summary>Gets what a poller waits for.</summary>
    public abstract int Descriptor { get; }

    /// <summary>Gets what 4 bytes of 0 are written to, without blocking, to ring the doorbell from elsewhere.</summary>
    public abstract int BellDescriptor { get; }

    /// <summary>Gets the start of the mapping.</summary>
    public abstract byte* Map { get; }

    /// <summary>Gets the length of the mapping, in bytes.</summary>
    public abstract int Length { get; }

    /// <summary>Tells the kernel that commands have ended.</summary>
    public abstract void RingDoorbell();

    /// <summary>Lets go of the data area of a command that was answered with the flag to keep it.</summary>
    public abstract void ReleaseKeptBuffer(ushort commandId);

    public abstract void Dispose();
}
