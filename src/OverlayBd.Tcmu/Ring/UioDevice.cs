// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Tcmu.Interop;
using static Tmds.Linux.LibC;

namespace OverlayBd.Tcmu.Ring;

/// <summary>An open /dev/uioN with its mapping: the kernel rings it when commands have come, we when some have ended.</summary>
internal sealed unsafe class UioDevice : RingDevice
{
    private readonly TcmuDeviceActions _actions;
    private int _descriptor;
    private byte* _map;

    private UioDevice(TcmuDeviceInfo info, int descriptor, byte* map, int length)
    {
        _actions = new TcmuDeviceActions(info);
        _descriptor = descriptor;
        _map = map;
        Length = length;
    }

    public override int Descriptor => _descriptor;

    public override int BellDescriptor => _descriptor;

    public override byte* Map => _map;

    public override int Length { get; }

    /// <summary>Opens a device, which only one process can have open, and maps it.</summary>
    /// <exception cref="IOException">It cannot be opened or mapped.</exception>
    public static UioDevice Open(TcmuDeviceInfo info)
    {
        int minor = info.Minor;
        string size = File.ReadAllText($"/sys/class/uio/uio{minor}/maps/map0/size").Trim();
        long length = long.Parse(size.AsSpan(size.StartsWith("0x", StringComparison.Ordinal) ? 2 : 0), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (length is <= 0 or > int.MaxValue)
        {
            throw new IOException($"/dev/uio{minor} has {length} bytes to map; up to {int.MaxValue} can be. Lower max_data_area_mb.");
        }

        int descriptor = Errno.Check(() => OpenFile($"/dev/uio{minor}"), $"open /dev/uio{minor}");
        void* map = mmap(null, (int)length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (map == MAP_FAILED)
        {
            IOException error = Errno.ToException($"map /dev/uio{minor}");
            _ = close(descriptor);
            throw error;
        }

        return new UioDevice(info, descriptor, (byte*)map, (int)length);
    }

    public override void RingDoorbell()
    {
        uint zero = 0;
        _ = write(_descriptor, &zero, sizeof(uint)); // fails only when the device is gone, and its commands with it
    }

    public override void ReleaseKeptBuffer(ushort commandId) => _actions.TryFreeKeptBuffer(commandId);

    public override void Dispose()
    {
        if (_map is not null)
        {
            _ = munmap(_map, Length);
            _map = null;
        }

        if (_descriptor >= 0)
        {
            _ = close(_descriptor);
            _descriptor = -1;
        }
    }

    private static int OpenFile(string path)
    {
        Span<byte> bytes = stackalloc byte[64];
        int length = System.Text.Encoding.ASCII.GetBytes(path, bytes);
        bytes[length] = 0;
        fixed (byte* name = bytes)
        {
            return open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        }
    }
}
