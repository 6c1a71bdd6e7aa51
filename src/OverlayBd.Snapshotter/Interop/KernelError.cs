// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>Turns an errno into the exception that leaves a system call.</summary>
internal static class KernelError
{
    public const int ENOENT = 2;
    public const int EAGAIN = 11;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EINVAL = 22;

    /// <summary>Makes an <see cref="IOException"/> whose HResult is the errno.</summary>
    public static IOException Create(int errno, string what) =>
        new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})", errno);

    /// <summary>Makes one of the last system call's errno.</summary>
    public static IOException Last(string what) => Create(Marshal.GetLastPInvokeError(), what);
}
