// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace OverlayBd.Fuse.Interop;

/// <summary>An open file descriptor, closed when disposed and never inherited by a child process.</summary>
internal sealed class FileDescriptor : SafeHandleZeroOrMinusOneIsInvalid
{
    private FileDescriptor(int value)
        : base(ownsHandle: true) => SetHandle(value);

    /// <summary>The descriptor's number; valid until the object is disposed.</summary>
    public int Value => (int)handle;

    /// <summary>Opens a path; throws what <see cref="KernelError"/> makes of a failure.</summary>
    public static FileDescriptor Open(string path, int flags) =>
        TryOpen(path, flags, out int errno) ?? throw KernelError.Create(errno, $"'{path}' cannot be opened");

    /// <summary>Opens a path; null and the errno when that fails.</summary>
    public static unsafe FileDescriptor? TryOpen(string path, int flags, out int errno)
    {
        fixed (byte* name = NativePath.Encode(path))
        {
            while (true)
            {
                int value = LibC.open(name, flags | LibC.O_CLOEXEC, 0);
                errno = value < 0 ? LibC.errno : 0;
                if (errno != LibC.EINTR)
                {
                    return value < 0 ? null : new FileDescriptor(value);
                }
            }
        }
    }

    /// <summary>Makes this descriptor's number refer to <paramref name="other"/>'s open file.</summary>
    public void Replace(FileDescriptor other)
    {
        if (LibC.dup3(other.Value, Value, LibC.O_CLOEXEC) < 0)
        {
            throw KernelError.Create(LibC.errno, "A file descriptor cannot be duplicated");
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.close(Value) == 0;
}
