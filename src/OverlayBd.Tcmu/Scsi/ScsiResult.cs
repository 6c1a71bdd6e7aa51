// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Tcmu.Scsi;

/// <summary>How a command ended: a status, and for a CHECK CONDITION what is wrong.</summary>
/// <param name="Status">The SAM status byte.</param>
/// <param name="SenseKey">The sense key; 0 when all is well.</param>
/// <param name="AdditionalSense">The additional sense code in the high byte, its qualifier in the low one.</param>
/// <param name="DataLength">The bytes written to the data-in buffer by an emulated command.</param>
internal readonly record struct ScsiResult(byte Status, byte SenseKey, ushort AdditionalSense, int DataLength = 0)
{
    /// <summary>The length of fixed-format sense data, in bytes.</summary>
    public const int SenseLength = 18;

    private const byte CheckConditionStatus = 0x02;
    private const byte BusyStatus = 0x08;

    public static ScsiResult Good => default;

    public static ScsiResult UnknownOperation => IllegalRequest(0x2000);

    public static ScsiResult InvalidField => IllegalRequest(0x2400);

    public static ScsiResult OutOfRange => IllegalRequest(0x2100);

    public static ScsiResult InvalidParameterList => IllegalRequest(0x2600);

    /// <summary>NOT READY, cause not reportable: what Linux tells of at once and as EIO, to every reader.</summary>
    /// <remarks>Who reads past the page cache gets ENODATA for an unrecovered read error, and EREMOTEIO for a hardware error; an aborted
    /// command is repeated five times, as any other medium error is, each time with all the waiting for a registry.</remarks>
    public static ScsiResult ReadError => new(CheckConditionStatus, 0x02, 0x0400);

    /// <summary>MEDIUM ERROR, write error: Linux repeats it five times, then it is EIO.</summary>
    public static ScsiResult WriteError => new(CheckConditionStatus, 0x03, 0x0C00);

    /// <summary>DATA PROTECT, write protected.</summary>
    public static ScsiResult WriteProtected => new(CheckConditionStatus, 0x07, 0x2700);

    /// <summary>DATA PROTECT, space allocation failed: a file system sees that there is no space left.</summary>
    public static ScsiResult NoSpace => new(CheckConditionStatus, 0x07, 0x2707);

    /// <summary>NOT READY, as <see cref="ReadError"/>. Also for a write, since a write error is repeated and each time the waiting would
    /// begin anew.</summary>
    public static ScsiResult TimedOut => ReadError;

    /// <summary>BUSY: the initiator is to repeat the command.</summary>
    public static ScsiResult Busy => new(BusyStatus, 0, 0);

    /// <summary>UNIT ATTENTION, capacity data has changed.</summary>
    public static ScsiResult CapacityChanged => new(CheckConditionStatus, 0x06, 0x2A09);

    /// <summary>UNIT ATTENTION, mode parameters changed.</summary>
    public static ScsiResult ModeParametersChanged => new(CheckConditionStatus, 0x06, 0x2A01);

    public static ScsiResult Data(int length) => new(0, 0, 0, length);

    /// <summary>Writes fixed-format sense data (SPC-4, 4.5.3).</summary>
    public void WriteSense(Span<byte> sense)
    {
        sense = sense[..SenseLength];
        sense.Clear();
        sense[0] = 0x70;
        sense[2] = SenseKey;
        sense[7] = SenseLength - 8;
        BinaryPrimitives.WriteUInt16BigEndian(sense[12..], AdditionalSense);
    }

    private static ScsiResult IllegalRequest(ushort additionalSense) => new(CheckConditionStatus, 0x05, additionalSense);
}
