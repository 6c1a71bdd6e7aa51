// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;

namespace OverlayBd.Tcmu.Scsi;

/// <summary>The parameter list of an UNMAP command (SBC-3, 5.28): a header of 8 bytes and descriptors of 16.</summary>
internal readonly struct UnmapList
{
    /// <summary>The most descriptors that one command may carry, as the block limits page says.</summary>
    public const int MaxDescriptors = 64;

    /// <summary>The longest parameter list, in bytes.</summary>
    public const int MaxLength = HeaderLength + MaxDescriptors * DescriptorLength;

    private const int HeaderLength = 8;
    private const int DescriptorLength = 16;
    private readonly ReadOnlyMemory<byte> _descriptors;

    private UnmapList(ReadOnlyMemory<byte> descriptors) => _descriptors = descriptors;

    /// <summary>Gets the number of descriptors.</summary>
    public int Count => _descriptors.Length / DescriptorLength;

    /// <summary>Gets a descriptor.</summary>
    public (ulong FirstBlock, uint BlockCount) this[int index]
    {
        get
        {
            ReadOnlySpan<byte> descriptor = _descriptors.Span[(index * DescriptorLength)..];
            return (BinaryPrimitives.ReadUInt64BigEndian(descriptor), BinaryPrimitives.ReadUInt32BigEndian(descriptor[8..]));
        }
    }

    /// <summary>Parses a list; its lengths must fit what was sent.</summary>
    public static bool TryParse(ReadOnlyMemory<byte> list, out UnmapList result)
    {
        result = default;
        if (list.Length < HeaderLength)
        {
            return list.IsEmpty;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(list.Span[2..]);
        if (length % DescriptorLength != 0 || length > list.Length - HeaderLength || length / DescriptorLength > MaxDescriptors)
        {
            return false;
        }

        result = new UnmapList(list.Slice(HeaderLength, length));
        return true;
    }
}
