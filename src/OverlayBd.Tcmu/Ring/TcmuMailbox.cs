// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>The fields of the mailbox at the start of the mapping (linux/target_core_user.h, struct tcmu_mailbox).</summary>
/// <param name="Version">Always 2.</param>
/// <param name="Flags">What the kernel can do.</param>
/// <param name="RingOffset">Where the command ring starts, in bytes from the start of the mapping.</param>
/// <param name="RingSize">The length of the command ring, in bytes.</param>
internal readonly record struct TcmuMailbox(ushort Version, TcmuMailboxFlags Flags, uint RingOffset, uint RingSize)
{
    public const int VersionOffset = 0;
    public const int FlagsOffset = 2;
    public const int RingOffsetOffset = 4;
    public const int RingSizeOffset = 8;
    public const int HeadOffset = 12;
    public const int TailOffset = 64;

    /// <summary>The length of what is read of the mailbox, in bytes.</summary>
    public const int Length = 128;

    public const ushort SupportedVersion = 2;

    /// <summary>Reads the mailbox and checks that the ring lies within the mapping.</summary>
    /// <exception cref="InvalidDataException">It is not a mailbox this driver understands.</exception>
    public static TcmuMailbox Parse(ReadOnlySpan<byte> mapping)
    {
        if (mapping.Length < Length)
        {
            throw new InvalidDataException($"A TCMU mapping of {mapping.Length} bytes is too short for its mailbox of {Length}.");
        }

        var mailbox = new TcmuMailbox(
            BitConverter.ToUInt16(mapping[VersionOffset..]),
            (TcmuMailboxFlags)BitConverter.ToUInt16(mapping[FlagsOffset..]),
            BitConverter.ToUInt32(mapping[RingOffsetOffset..]),
            BitConverter.ToUInt32(mapping[RingSizeOffset..]));
        if (mailbox.Version != SupportedVersion)
        {
            throw new InvalidDataException($"The TCMU mailbox has version {mailbox.Version}; this driver knows {SupportedVersion}.");
        }

        if (mailbox.RingOffset < TailOffset + sizeof(uint)
            || mailbox.RingSize < TcmuEntry.MinLength
            || mailbox.RingSize % 8 != 0
            || mailbox.RingOffset > (uint)mapping.Length
            || mailbox.RingSize > (uint)mapping.Length - mailbox.RingOffset)
        {
            throw new InvalidDataException(
                $"The TCMU command ring of {mailbox.RingSize} bytes at {mailbox.RingOffset} does not lie in the mapping of {mapping.Length}.");
        }

        return mailbox;
    }
}
