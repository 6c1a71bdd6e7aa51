// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Tcmu.Scsi;

/// <summary>Answers REPORT SUPPORTED OPERATION CODES (SPC-4, 6.35): which commands the disk knows, and which of their bits it looks at.</summary>
internal static class SupportedOpcodes
{
    private const byte AllCommands = 0;
    private const byte ByOpcode = 1;
    private const byte ByServiceAction = 2;
    private const byte ByEither = 3;
    private const byte Supported = 3;
    private const byte NotSupported = 1;
    private const byte ServiceActionValid = 0x01;
    private const int DescriptorLength = 8;

    /// <summary>Each command as its usage map: a bit is set where the disk looks at the bit of the command; the first byte is the
    /// operation code. Commands with a service action have it in the second byte.</summary>
    private static readonly byte[][] s_commands =
    [
        [0x00, 0, 0, 0, 0, 0],
        [0x03, 0, 0, 0, 0xFF, 0],
        [0x08, 0x1F, 0xFF, 0xFF, 0xFF, 0],
        [0x0A, 0x1F, 0xFF, 0xFF, 0xFF, 0],
        [0x12, 0x01, 0xFF, 0xFF, 0xFF, 0],
        [0x15, 0x10, 0, 0, 0xFF, 0],
        [0x1A, 0x08, 0xFF, 0xFF, 0xFF, 0],
        [0x1B, 0, 0, 0, 0, 0],
        [0x1E, 0, 0, 0, 0, 0],
        [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0x28, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0],
        [0x2A, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0],
        [0x2F, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0],
        [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0x41, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0],
        [0x42, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        [0x55, 0x10, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        [0x5A, 0x08, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0],
        [0x88, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0x8A, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0x8F, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0x93, 0x09, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0xA0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0xA3, 0x0C, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0xA8, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0xAA, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        [0xAF, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
    ];

    /// <summary>Writes the answer.</summary>
    public static ScsiResult Report(ReadOnlySpan<byte> cdb, Span<byte> data)
    {
        if ((cdb[2] & 0x80) != 0)
        {
            return ScsiResult.InvalidField; // no time-outs are told
        }

        byte opcode = cdb[3];
        int action = BinaryPrimitives.ReadUInt16BigEndian(cdb[4..]);
        byte[]? command = Array.Find(s_commands, each => each[0] == opcode);
        switch (cdb[2] & 0x07)
        {
            case AllCommands:
                return All(data);
            case ByOpcode:
                return command is not null && HasServiceAction(opcode) ? ScsiResult.InvalidField : One(command, data);
            case ByServiceAction:
                return command is not null && !HasServiceAction(opcode) ? ScsiResult.InvalidField : One(WithAction(command, action), data);
            case ByEither:
                return One(command is not null && HasServiceAction(opcode) ? WithAction(command, action) : action == 0 ? command : null, data);
            default:
                return ScsiResult.InvalidField;
        }
    }

    private static bool HasServiceAction(byte opcode) => (ScsiOpcode)opcode is ScsiOpcode.ServiceActionIn16 or ScsiOpcode.MaintenanceIn;

    private static byte[]? WithAction(byte[]? command, int action) => command is not null && command[1] == action ? command : null;

    private static ScsiResult All(Span<byte> data)
    {
        int length = 4;
        foreach (byte[] command in s_commands)
        {
            Span<byte> descriptor = data.Slice(length, DescriptorLength);
            descriptor[0] = command[0];
            if (HasServiceAction(command[0]))
            {
                descriptor[3] = command[1];
                descriptor[5] = ServiceActionValid;
            }

            descriptor[7] = (byte)command.Length;
            length += DescriptorLength;
        }

        BinaryPrimitives.WriteInt32BigEndian(data, length - 4);
        return ScsiResult.Data(length);
    }

    private static ScsiResult One(byte[]? command, Span<byte> data)
    {
        if (command is null)
        {
            data[1] = NotSupported;
            return ScsiResult.Data(4);
        }

        data[1] = Supported;
        BinaryPrimitives.WriteInt16BigEndian(data[2..], (short)command.Length);
        command.CopyTo(data[4..]);
        return ScsiResult.Data(4 + command.Length);
    }
}
