// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Tcmu.Interop;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Netlink;

/// <summary>The generic netlink socket over which the kernel announces TCMU devices and waits for answers.</summary>
internal sealed unsafe class TcmuNetlinkSocket : IDisposable
{
    private const int AF_NETLINK = 16;
    private const int NETLINK_GENERIC = 16;
    private const int SOL_NETLINK = 270;
    private const int NETLINK_ADD_MEMBERSHIP = 1;
    private const int SO_RCVBUFFORCE = 33;
    private const ushort NLM_F_REQUEST = 1;
    private const ushort GENL_ID_CTRL = 16;
    private const byte CTRL_CMD_GETFAMILY = 3;
    private const ushort CTRL_ATTR_FAMILY_ID = 1;
    private const ushort CTRL_ATTR_FAMILY_NAME = 2;
    private const ushort CTRL_ATTR_MCAST_GROUPS = 7;
    private const string FamilyName = "TCM-USER";
    private const string GroupName = "config";
    private const byte FamilyVersion = 2;
    private const byte DoneOffset = 3; // ADDED_DEVICE_DONE is ADDED_DEVICE + 3, and so on

    private readonly int _socket;
    private readonly byte[] _message = new byte[64 * 1024];
    private readonly Lock _sending = new(); // guards _closed
    private bool _closed;
    private ushort _family;

    private TcmuNetlinkSocket(int socket) => _socket = socket;

    public int Descriptor => _socket;

    /// <summary>Opens the socket, finds the family, joins its group and promises the kernel an answer to every event.</summary>
    /// <exception cref="IOException">The kernel has no TCMU, or the caller is not root.</exception>
    public static TcmuNetlinkSocket Open(int receiveBuffer)
    {
        var result = new TcmuNetlinkSocket(Errno.Check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), "open a netlink socket"));
        try
        {
            result.Prepare(receiveBuffer);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Receives one datagram and hands out its events. Blocks.</summary>
    /// <returns>Whether nothing was lost: when the buffer was full, the kernel drops events and tells so once.</returns>
    public bool TryReceive(ICollection<TcmuNetlinkEvent> events)
    {
        int length = ReceiveDatagram();
        if (length < 0)
        {
            return errno == ENOBUFS ? false : throw Errno.ToException("receive from the kernel over netlink");
        }

        foreach (Range range in Messages(length))
        {
            ReadOnlySpan<byte> message = _message.AsSpan()[range];
            if (BitConverter.ToUInt16(message[4..]) == _family && TcmuNetlinkEvent.TryParse(message, out TcmuNetlinkEvent result))
            {
                events.Add(result);
            }
        }

        return true;
    }

    /// <summary>Answers an event, which lets go of who waits in the kernel.</summary>
    /// <param name="request">The event.</param>
    /// <param name="status">0, or a negative error number.</param>
    public void Reply(TcmuNetlinkEvent request, int status)
    {
        var writer = new NetlinkWriter(
            stackalloc byte[64], _family, NLM_F_REQUEST, (byte)((byte)request.Kind + DoneOffset), FamilyVersion);
        writer.Add(TcmuNetlinkEvent.StatusAttribute, status);
        writer.Add(TcmuNetlinkEvent.DeviceIdAttribute, request.DeviceId);
        Send(writer.Finish());
    }

    public void Dispose()
    {
        lock (_sending)
        {
            if (!_closed)
            {
                _closed = true;
                _ = close(_socket);
            }
        }
    }

    private void Prepare(int receiveBuffer)
    {
        _ = setsockopt(_socket, SOL_SOCKET, SO_RCVBUFFORCE, &receiveBuffer, sizeof(int));
        Span<byte> address = stackalloc byte[12];
        address.Clear();
        address[0] = AF_NETLINK;
        fixed (byte* name = address)
        {
            Errno.Check(bind(_socket, (sockaddr*)name, (uint)address.Length), "bind the netlink socket");
        }

        int group = ResolveFamily();
        Errno.Check(setsockopt(_socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(int)), "join the netlink group of TCMU");
        var writer = new NetlinkWriter(stackalloc byte[64], _family, NLM_F_REQUEST, (byte)TcmuCommandKind.SetFeatures, FamilyVersion);
        writer.Add(TcmuNetlinkEvent.ReplyAttribute, (byte)1);
        Send(writer.Finish());
    }

    private int ResolveFamily()
    {
        var writer = new NetlinkWriter(stackalloc byte[64], GENL_ID_CTRL, NLM_F_REQUEST, CTRL_CMD_GETFAMILY, 1);
        writer.Add(CTRL_ATTR_FAMILY_NAME, FamilyName);
        Send(writer.Finish());
        int? group = null;
        foreach (Range range in Messages(Errno.Check(ReceiveDatagram(), "receive from the kernel over netlink")))
        {
            ReadOnlySpan<byte> message = _message.AsSpan()[range];
            if (BitConverter.ToUInt16(message[4..]) != GENL_ID_CTRL)
            {
                continue;
            }

            var attributes = new NetlinkAttributes(message[(NetlinkWriter.HeaderLength + NetlinkWriter.GenericHeaderLength)..]);
            while (attributes.MoveNext())
            {
                if (attributes.Type == CTRL_ATTR_FAMILY_ID)
                {
                    _family = BitConverter.ToUInt16(attributes.Value);
                }
                else if (attributes.Type == CTRL_ATTR_MCAST_GROUPS)
                {
                    group = FindGroup(attributes.Value) ?? group;
                }
            }
        }

        return _family != 0 && group is int found
            ? found
            : throw new IOException("The kernel has no TCMU: there is no netlink family TCM-USER. Load the module target_core_user.");
    }

    private static int? FindGroup(ReadOnlySpan<byte> groups)
    {
        var each = new NetlinkAttributes(groups);
        while (each.MoveNext())
        {
            var attributes = new NetlinkAttributes(each.Value);
            int? id = null;
            bool named = false;
            while (attributes.MoveNext())
            {
                named |= attributes.Type == 1 && Encoding.ASCII.GetString(attributes.Value).TrimEnd('\0') == GroupName;
                id = attributes.Type == 2 ? BitConverter.ToInt32(attributes.Value) : id;
            }

            if (named)
            {
                return id;
            }
        }

        return null;
    }

    private void Send(ReadOnlySpan<byte> message)
    {
        lock (_sending)
        {
            if (_closed)
            {
                return; // the number may belong to something else by now
            }

            fixed (byte* bytes = message)
            {
                Errno.Check((int)(long)send(_socket, bytes, message.Length, 0), "send to the kernel over netlink");
            }
        }
    }

    private int ReceiveDatagram()
    {
        fixed (byte* bytes = _message)
        {
            int length;
            do
            {
                length = (int)(long)recv(_socket, bytes, _message.Length, 0);
            }
            while (length < 0 && errno == EINTR);

            return length;
        }
    }

    private List<Range> Messages(int length)
    {
        var messages = new List<Range>();
        for (int at = 0; length - at >= NetlinkWriter.HeaderLength;)
        {
            int size = BitConverter.ToInt32(_message, at);
            if (size < NetlinkWriter.HeaderLength || size > length - at)
            {
                break;
            }

            messages.Add(at..(at + size));
            at += (size + 3) & ~3;
        }

        return messages;
    }
}
