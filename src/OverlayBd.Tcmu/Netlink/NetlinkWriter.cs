// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Tcmu.Netlink;

/// <summary>Writes one generic netlink message into a buffer.</summary>
internal ref struct NetlinkWriter
{
    public const int HeaderLength = 16;
    public const int GenericHeaderLength = 4;
    private readonly Span<byte> _buffer;
    private int _length;

    public NetlinkWriter(Span<byte> buffer, ushort type, ushort flags, byte command, byte version)
    {
        _buffer = buffer;
        buffer.Clear();
        BitConverter.TryWriteBytes(buffer[4..], type);
        BitConverter.TryWriteBytes(buffer[6..], flags);
        buffer[HeaderLength] = command;
        buffer[HeaderLength + 1] = version;
        _length = HeaderLength + GenericHeaderLength;
    }

    public void Add(ushort type, int value) => BitConverter.TryWriteBytes(Attribute(type, sizeof(int)), value);

    public void Add(ushort type, byte value) => Attribute(type, sizeof(byte))[0] = value;

    public void Add(ushort type, string value) => Encoding.ASCII.GetBytes(value, Attribute(type, value.Length + 1));

    public readonly ReadOnlySpan<byte> Finish()
    {
        BitConverter.TryWriteBytes(_buffer, _length);
        return _buffer[.._length];
    }

    private Span<byte> Attribute(ushort type, int length)
    {
        Span<byte> attribute = _buffer[_length..];
        BitConverter.TryWriteBytes(attribute, (ushort)(4 + length));
        BitConverter.TryWriteBytes(attribute[2..], type);
        _length += (4 + length + 3) & ~3;
        return attribute.Slice(4, length);
    }
}
