// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Backstore;

/// <summary>Lets a private server outlive the program and the terminal that it was started from.</summary>
internal static partial class Detachment
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a session of its own and sends both outputs to <paramref name="logFile"/>, else nowhere.</summary>
    public static void LeaveTerminal(string? logFile)
    {
        _ = SetSession();
        using FileStream log = new(logFile ?? "/dev/null", new FileStreamOptions
        {
            Mode = logFile is null ? FileMode.Open : FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = logFile is null ? null : OwnerOnly,
        });
        int descriptor = (int)log.SafeFileHandle.DangerousGetHandle();
        _ = Duplicate(descriptor, StandardOutput);
        _ = Duplicate(descriptor, StandardError);
    }

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int descriptor, int target);
}
