// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace OverlayBd.Tcmu.Scsi;

/// <summary>Answers the commands that ask about the disk rather than for its content.</summary>
/// <remarks>Vendor, product and revision are upstream's, so that nothing that looks for them notices a difference.</remarks>
internal sealed class ScsiEmulator(DiskIdentity identity)
{
    /// <summary>The largest answer, in bytes.</summary>
    public const int MaxDataLength = 512;

    private const int MaxTransferBytes = 1024 * 1024;
    private const int PhysicalBlockSize = 4096;

    /// <summary>Writes the answer to <paramref name="data"/>, which is zeroed first.</summary>
    /// <returns>GOOD with the length of the answer, or what is wrong.</returns>
    public ScsiResult Execute(ReadOnlySpan<byte> cdb, DiskState state, Span<byte> data)
    {
        data.Clear();
        return (ScsiOpcode)cdb[0] switch
        {
            ScsiOpcode.Inquiry => Inquiry(cdb, data),
            ScsiOpcode.ReadCapacity10 => ReadCapacity10(state.BlockCount, data),
            ScsiOpcode.ServiceActionIn16 => (cdb[1] & 0x1F) == 0x10 ? ReadCapacity16(state.BlockCount, data) : ScsiResult.InvalidField,
            ScsiOpcode.ModeSense6 or ScsiOpcode.ModeSense10 => ModeSense(cdb, state.WriteCache, data),
            ScsiOpcode.MaintenanceIn => (cdb[1] & 0x1F) == 0x0C ? SupportedOpcodes.Report(cdb, data) : ScsiResult.UnknownOperation,
            ScsiOpcode.ReportLuns => ReportLuns(data),
            ScsiOpcode.RequestSense => RequestSense(data),
            ScsiOpcode.TestUnitReady or ScsiOpcode.StartStopUnit or ScsiOpcode.PreventAllowMediumRemoval => ScsiResult.Good,
            _ => ScsiResult.UnknownOperation,
        };
    }

    private static ScsiResult RequestSense(Span<byte> data)
    {
        ScsiResult.Good.WriteSense(data);
        return ScsiResult.Data(ScsiResult.SenseLength);
    }

    private static ScsiResult ReportLuns(Span<byte> data)
    {
        BinaryPrimitives.WriteInt32BigEndian(data, 8);
        return ScsiResult.Data(16);
    }

    private ScsiResult Inquiry(ReadOnlySpan<byte> cdb, Span<byte> data)
    {
        if ((cdb[1] & 1) == 0)
        {
            return cdb[2] == 0 ? StandardInquiry(data) : ScsiResult.InvalidField;
        }

        data[1] = cdb[2];
        int length = cdb[2] switch
        {
            0x00 => Put(data[4..], [0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2]),
            0x80 => Encoding.ASCII.GetBytes(identity.Serial, data[4..]),
            0x83 => DeviceIdentification(data[4..]),
            0xB0 => BlockLimits(data[4..]),
            0xB1 => BlockDeviceCharacteristics(data[4..]),
            0xB2 => LogicalBlockProvisioning(data[4..]),
            _ => -1,
        };
        if (length < 0)
        {
            return ScsiResult.InvalidField;
        }

        BinaryPrimitives.WriteInt16BigEndian(data[2..], (short)length);
        return ScsiResult.Data(4 + length);
    }

    private static ScsiResult StandardInquiry(Span<byte> data)
    {
        const int Length = 36;
        data[2] = 0x06; // SPC-4
        data[3] = 0x02; // response data format
        data[4] = Length - 5;
        data[7] = 0x02; // tagged commands
        Encoding.ASCII.GetBytes("LIO-ORG TCMU device     0002", data[8..]);
        return ScsiResult.Data(Length);
    }

    private static int Put(Span<byte> data, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(data);
        return bytes.Length;
    }

    private int DeviceIdentification(Span<byte> data)
    {
        // One T10 vendor designator: ASCII, associated with the logical unit.
        data[0] = 0x02;
        data[1] = 0x01;
        int length = Encoding.ASCII.GetBytes("LIO-ORG " + identity.Serial, data[4..]);
        data[3] = (byte)length;
        return 4 + length;
    }

    private int BlockLimits(Span<byte> data)
    {
        int blocks = MaxTransferBytes / identity.BlockSize;
        data[0] = 0x01; // a write-same of 0 blocks is not allowed
        BinaryPrimitives.WriteInt16BigEndian(data[2..], (short)(PhysicalBlockSize / identity.BlockSize));
        BinaryPrimitives.WriteInt32BigEndian(data[4..], blocks);
        BinaryPrimitives.WriteInt32BigEndian(data[8..], blocks);
        BinaryPrimitives.WriteUInt32BigEndian(data[16..], uint.MaxValue); // unmap: blocks in one descriptor
        BinaryPrimitives.WriteInt32BigEndian(data[20..], UnmapList.MaxDescriptors);
        BinaryPrimitives.WriteInt32BigEndian(data[24..], PhysicalBlockSize / identity.BlockSize);
        BinaryPrimitives.WriteUInt64BigEndian(data[32..], uint.MaxValue); // write-same
        return 60;
    }

    private static int BlockDeviceCharacteristics(Span<byte> data)
    {
        data[1] = 0x01; // does not rotate
        return 60;
    }

    private static int LogicalBlockProvisioning(Span<byte> data)
    {
        data[1] = 0x80 | 0x40 | 0x20 | 0x04; // UNMAP, WRITE SAME 16 and 10; unmapped blocks read as zeros
        data[2] = 0x02; // thin
        return 4;
    }

    private ScsiResult ReadCapacity10(ulong blockCount, Span<byte> data)
    {
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)Math.Min(uint.MaxValue, blockCount - 1));
        BinaryPrimitives.WriteInt32BigEndian(data[4..], identity.BlockSize);
        return ScsiResult.Data(8);
    }

    private ScsiResult ReadCapacity16(ulong blockCount, Span<byte> data)
    {
        BinaryPrimitives.WriteUInt64BigEndian(data, blockCount - 1);
        BinaryPrimitives.WriteInt32BigEndian(data[8..], identity.BlockSize);
        data[13] = (byte)int.Log2(PhysicalBlockSize / identity.BlockSize);
        data[14] = 0x80 | 0x40; // provisioning is managed; unmapped blocks read as zeros
        return ScsiResult.Data(32);
    }

    private ScsiResult ModeSense(ReadOnlySpan<byte> cdb, bool writeCache, Span<byte> data)
    {
        bool ten = cdb[0] == (byte)ScsiOpcode.ModeSense10;
        int header = ten ? 8 : 4;
        int page = cdb[2] & 0x3F;
        bool changeable = cdb[2] >> 6 == 1;
        if (cdb[2] >> 6 == 3 || cdb[3] != 0)
        {
            return ScsiResult.InvalidField; // saved values are not supported, nor are subpages
        }

        int length = header;
        length += ModePages.Write(page, changeable, writeCache, data[header..]);
        if (length == header)
        {
            return ScsiResult.InvalidField;
        }

        byte specific = (byte)((identity.IsReadOnly ? 0x80 : 0) | 0x10); // write protected; DPO and FUA are honoured
        if (ten)
        {
            BinaryPrimitives.WriteInt16BigEndian(data, (short)(length - 2));
            data[3] = specific;
        }
        else
        {
            data[0] = (byte)(length - 1);
            data[2] = specific;
        }

        return ScsiResult.Data(length);
    }
}
