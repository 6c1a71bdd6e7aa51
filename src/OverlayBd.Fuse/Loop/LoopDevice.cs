// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using OverlayBd.Fuse.Interop;
using Tmds.Linux;

namespace OverlayBd.Fuse.Loop;

/// <summary>A loop device, known by its number. Its state is the kernel's; nothing is kept here.</summary>
internal sealed class LoopDevice
{
    private const int MostAttempts = 1000;
    private readonly string _directory;

    public LoopDevice(uint number)
    {
        Number = number;
        Path = string.Create(CultureInfo.InvariantCulture, $"/dev/loop{number}");
        _directory = string.Create(CultureInfo.InvariantCulture, $"/sys/block/loop{number}");
    }

    public uint Number { get; }

    /// <summary>The device node: "/dev/loop3".</summary>
    public string Path { get; }

    /// <summary>The path of the file behind the device as the kernel shows it; null when there is none.</summary>
    public string? BackingFile => ReadAttribute("loop/backing_file");

    /// <summary>Whether the device reads its file past the page cache, many requests at a time.</summary>
    public bool IsDirect => ReadAttribute("loop/dio") == "1";

    /// <summary>Whether another device (device mapper, md) is made of this one; its name.</summary>
    public IReadOnlyList<string> Holders
    {
        get
        {
            try
            {
                string directory = System.IO.Path.Combine(_directory, "holders");
                return [.. Directory.EnumerateFileSystemEntries(directory).Select(static path => System.IO.Path.GetFileName(path))];
            }
            catch (DirectoryNotFoundException)
            {
                return [];
            }
        }
    }

    /// <summary>Every loop device the kernel knows.</summary>
    public static IEnumerable<LoopDevice> All()
    {
        foreach (string path in Directory.EnumerateFileSystemEntries("/sys/block", "loop*"))
        {
            if (uint.TryParse(System.IO.Path.GetFileName(path).AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            {
                yield return new LoopDevice(number);
            }
        }
    }

    /// <summary>Puts a free loop device over a file.</summary>
    /// <param name="file">The file; the kernel keeps it open, so it may be closed afterwards.</param>
    /// <param name="name">What the device is called in its status.</param>
    /// <param name="blockSize">The logical block size.</param>
    /// <param name="flags">The device's properties.</param>
    /// <param name="keep">With <see cref="LoopFlags.AutoClear"/>, the descriptor that becomes the device's first user.</param>
    public static unsafe LoopDevice Configure(FileDescriptor file, string name, int blockSize, LoopFlags flags, FileDescriptor? keep)
    {
        using FileDescriptor control = FileDescriptor.Open("/dev/loop-control", LibC.O_RDWR);
        LoopConfig config = new() { Descriptor = (uint)file.Value, BlockSize = (uint)blockSize };
        config.Info.Flags = flags;
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        bytes.AsSpan(
            0, Math.Min(bytes.Length, LoopInfo.FileNameLength - 1)).CopyTo(new Span<byte>(config.Info.FileName, LoopInfo.FileNameLength));
        for (int attempt = 0; attempt < MostAttempts; attempt++)
        {
            int number = LibC.ioctl(control.Value, LoopConstants.GetFree);
            if (number < 0)
            {
                throw KernelError.Create(LibC.errno, "The kernel has no free loop device");
            }

            LoopDevice device = new((uint)number);
            using FileDescriptor descriptor = device.Open(LibC.O_RDWR);
            if (LibC.ioctl(descriptor.Value, LoopConstants.Configure, &config) == 0)
            {
                keep?.Replace(descriptor);
                return device;
            }

            // Somebody else took the number in between: the kernel knows another one.
            int errno = LibC.errno;
            if (errno != LibC.EBUSY)
            {
                throw KernelError.Create(errno, $"'{device.Path}' cannot be put over '{name}'");
            }
        }

        throw new IOException($"No loop device could be had in {MostAttempts} attempts: others keep taking the free ones.");
    }

    /// <summary>Whether the file behind the device lies on the FUSE file system of that number.</summary>
    public unsafe bool IsBackedBy(uint minor, string mountPoint)
    {
        if (BackingFile is not string backingFile)
        {
            return false;
        }

        LoopInfo info;
        using FileDescriptor? descriptor = FileDescriptor.TryOpen(Path, LibC.O_RDONLY, out _);
        return descriptor is not null && LibC.ioctl(descriptor.Value, LoopConstants.GetStatus, &info) == 0
            ? info.Device == EncodeDevice(minor)
            : backingFile == mountPoint; // a dead server's file has no status any more
    }

    /// <summary>Writes what the page cache holds for the device; returns 0 or the errno.</summary>
    public int Flush()
    {
        using FileDescriptor? descriptor = FileDescriptor.TryOpen(Path, LibC.O_RDWR, out int errno);
        if (descriptor is null)
        {
            // A read-only device (EROFS, EACCES) has nothing to flush, and neither has one that is gone.
            return errno == LibC.EIO ? errno : 0;
        }

        return LibC.fsync(descriptor.Value) < 0 ? LibC.errno : 0;
    }

    /// <summary>Whether a file system or another device claims it, in whichever mount namespace.</summary>
    public bool IsClaimed()
    {
        using FileDescriptor? descriptor = FileDescriptor.TryOpen(Path, LibC.O_RDONLY | LibC.O_EXCL, out int errno);
        return errno == LibC.EBUSY;
    }

    /// <summary>Makes the device as long as its file is now.</summary>
    public void AdoptLength()
    {
        using FileDescriptor descriptor = FileDescriptor.Open(Path, LibC.O_RDONLY);
        if (LibC.ioctl(descriptor.Value, LoopConstants.SetCapacity) < 0)
        {
            throw KernelError.Create(LibC.errno, $"'{Path}' cannot be made longer");
        }
    }

    /// <summary>Takes the device off its file: at once, or with its last user when it has any.</summary>
    public void Clear()
    {
        using FileDescriptor? descriptor = FileDescriptor.TryOpen(Path, LibC.O_RDONLY, out int errno);
        if (descriptor is not null)
        {
            errno = LibC.ioctl(descriptor.Value, LoopConstants.ClearDescriptor) < 0 ? LibC.errno : 0;
        }

        if (errno != 0 && errno != LibC.ENXIO && errno != LibC.ENOENT && errno != LibC.ENODEV)
        {
            throw KernelError.Create(errno, $"'{Path}' cannot be cleared");
        }
    }

    /// <summary>The kernel's huge_encode_dev for major 0 (linux/kdev_t.h).</summary>
    internal static ulong EncodeDevice(uint minor) => (minor & 0xff) | ((ulong)(minor & ~0xffu) << 12);

    private unsafe FileDescriptor Open(int flags)
    {
        if (FileDescriptor.TryOpen(Path, flags, out int errno) is FileDescriptor descriptor)
        {
            return descriptor;
        }

        if (errno == LibC.ENOENT)
        {
            // A container's /dev does not get the nodes that the kernel adds.
            fixed (byte* path = NativePath.Encode(Path))
            {
                _ = LibC.mknod(path, 0x6180, (ulong)((LoopConstants.Major << 8) | (Number & 0xff) | ((Number & ~0xffu) << 12)));
            }
        }

        return FileDescriptor.Open(Path, flags);
    }

    private string? ReadAttribute(string name)
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(_directory, name)).TrimEnd('\n');
        }
        catch (IOException)
        {
            // The loop directory exists only while there is a file.
            return null;
        }
    }
}
