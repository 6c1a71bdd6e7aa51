// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Fuse.Interop;

/// <summary>Turns an errno into the exception that leaves the library.</summary>
internal static class KernelError
{
    /// <summary>Makes an <see cref="IOException"/> whose HResult is the errno.</summary>
    public static IOException Create(int errno, string what) =>
        new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).", errno);
}
