// SPDX-License-Identifier: Apache-2.0

using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using OverlayBd.Conversion.Ext4;

namespace OverlayBd.Conversion.Interop;

/// <summary>Turns libext2fs' codes into exceptions.</summary>
internal static unsafe class Ext2Error
{
    internal const nint NoSuchEntry = 2;
    internal const nint LibraryBase = 2133571328;
    internal const nint NoBlocks = 2133571400;
    internal const nint NoInodes = 2133571401;
    private const nint NoMemory = 2133571398;

    /// <summary>Makes the exception for a code the library returned.</summary>
    /// <param name="code">The code, not 0.</param>
    /// <param name="cause">What the device ended with meanwhile, if anything; then it is thrown as it is.</param>
    /// <param name="action">What was attempted, for the message; without a full stop.</param>
    internal static Exception ToException(nint code, Exception? cause, string action)
    {
        if (cause is not null)
        {
            ExceptionDispatchInfo.Throw(cause);
        }

        if (code == NoBlocks)
        {
            return new Ext4SpaceException("no blocks are left");
        }

        if (code == NoInodes)
        {
            return new Ext4SpaceException("no inodes are left");
        }

        string text = Marshal.PtrToStringUTF8((nint)LibComErr.ErrorMessage(code)) ?? "unknown error";
        string message = $"{action}: {text} (libext2fs code {code}).";

        // Codes of the library itself say that what lies on the disk is not as it should be; the rest are errno values.
        return code >= LibraryBase && code != NoMemory ? new InvalidDataException(message) : new IOException(message, (int)code);
    }
}
