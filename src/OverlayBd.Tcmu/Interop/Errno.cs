// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Tcmu.Interop;

/// <summary>Turns the error number of the last system call into an exception.</summary>
internal static class Errno
{
    public static int Check(int result, string action) => result >= 0 ? result : throw ToException(action);

    public static int Check(Func<int> call, string action) => Check(call(), action);

    /// <summary>An <see cref="IOException"/> whose HResult is the error number.</summary>
    public static IOException ToException(string action)
    {
        int error = Tmds.Linux.LibC.errno;
        return new IOException($"Cannot {action}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error}).", error);
    }
}
