// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Ring;

/// <summary>The layout of a ring entry (linux/target_core_user.h, struct tcmu_cmd_entry), offsets in bytes.</summary>
internal static class TcmuEntry
{
    public const int LengthAndOperation = 0;
    public const int CommandId = 4;
    public const int UserFlags = 7;

    // of a request
    public const int VectorCount = 8;
    public const int CdbOffset = 24;
    public const int Vectors = 48;
    public const int VectorLength = 16;

    // of a response, which overwrites the request
    public const int ScsiStatus = 8;
    public const int ReadLength = 12;
    public const int Sense = 16;
    public const int SenseCapacity = 96;

    /// <summary>The shortest command entry that can hold its response, in bytes.</summary>
    public const int MinLength = Sense + SenseCapacity;

    public const uint OperationMask = 7;
    public const uint PadOperation = 0;
    public const uint CommandOperation = 1;

    public const byte UnknownOperationFlag = 1;
    public const byte ReadLengthFlag = 2;
    public const byte KeepBufferFlag = 4;
}
