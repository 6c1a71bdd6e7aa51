// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Tcmu.Netlink;

/// <summary>What the kernel says of a device. It waits for an answer that carries the event's own device id.</summary>
/// <param name="Kind">What has happened.</param>
/// <param name="Minor">The N of /dev/uioN.</param>
/// <param name="DeviceId">The kernel's number of the device, which is never used again.</param>
/// <param name="Size">Of a reconfiguration: the length that is wanted, in bytes.</param>
/// <param name="WriteCache">Of a reconfiguration: whether the disk is to have a write cache.</param>
internal readonly record struct TcmuNetlinkEvent(TcmuCommandKind Kind, int Minor, int DeviceId, long? Size = null, bool? WriteCache = null)
{
    public const ushort MinorAttribute = 2;
    public const ushort SizeAttribute = 5;
    public const ushort WriteCacheAttribute = 6;
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
        long? size = null;
        bool? writeCache = null;
        while (attributes.MoveNext())
        {
            if (attributes.Value.Length >= sizeof(int))
            {
                int value = BitConverter.ToInt32(attributes.Value);
                minor = attributes.Type == MinorAttribute ? value : minor;
                deviceId = attributes.Type == DeviceIdAttribute ? value : deviceId;
            }

            if (attributes.Type == SizeAttribute && attributes.Value.Length >= sizeof(long))
            {
                size = BitConverter.ToInt64(attributes.Value);
            }
            else if (attributes.Type == WriteCacheAttribute && attributes.Value.Length >= 1)
            {
                writeCache = attributes.Value[0] != 0;
            }
        }

        if (kind is not (TcmuCommandKind.Added or TcmuCommandKind.Removed or TcmuCommandKind.Reconfigured) || minor is null || deviceId is null)
        {
            return false;
        }

        result = new TcmuNetlinkEvent(kind, minor.Value, deviceId.Value, size, writeCache);
        return true;
    }
}
