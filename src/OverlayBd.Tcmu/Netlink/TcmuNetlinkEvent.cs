// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Netlink;

/// <summary>What the kernel says of a device. It waits for an answer that carries the event's own device id.</summary>
internal readonly record struct TcmuNetlinkEvent(TcmuCommandKind Kind, int Minor, int DeviceId)
{
    public const ushort MinorAttribute = 2;
    public const ushort StatusAttribute = 7;
    public const ushort DeviceIdAttribute = 8;
    public const ushort ReplyAttribute = 9;

    /// <summary>Reads the event of a generic netlink message of the family.</summary>
    public static bool TryParse(ReadOnlySpan<byte> message, out TcmuNetlinkEvent result)
    {
        result = default;
        if (message.Length < NetlinkWriter.HeaderLength + NetlinkWriter.GenericHeaderLength)
        {
            return false;
        }

        var kind = (TcmuCommandKind)message[NetlinkWriter.HeaderLength];
        var attributes = new NetlinkAttributes(message[(NetlinkWriter.HeaderLength + NetlinkWriter.GenericHeaderLength)..]);
        int? minor = null;
        int? deviceId = null;
        while (attributes.MoveNext())
        {
            if (attributes.Value.Length >= sizeof(int))
            {
                int value = BitConverter.ToInt32(attributes.Value);
                minor = attributes.Type == MinorAttribute ? value : minor;
                deviceId = attributes.Type == DeviceIdAttribute ? value : deviceId;
            }
        }

        if (kind is not (TcmuCommandKind.Added or TcmuCommandKind.Removed or TcmuCommandKind.Reconfigured) || minor is null || deviceId is null)
        {
            return false;
        }

        result = new TcmuNetlinkEvent(kind, minor.Value, deviceId.Value);
        return true;
    }
}
