// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Netlink;

/// <summary>Walks the attributes of a netlink message: a length and a type of 16 bits each, the value, padding to 4 bytes.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 4;
    private const ushort TypeMask = 0x3FFF;
    private ReadOnlySpan<byte> _rest = bytes;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        if (_rest.Length < HeaderLength)
        {
            return false;
        }

        int length = BitConverter.ToUInt16(_rest);
        if (length < HeaderLength || length > _rest.Length)
        {
            return false;
        }

        Type = (ushort)(BitConverter.ToUInt16(_rest[2..]) & TypeMask);
        Value = _rest[HeaderLength..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
