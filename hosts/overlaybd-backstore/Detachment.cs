// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OverlayBd.Backstore;

/// <summary>Lets a private server outlive the program and the terminal that it was started from.</summary>
internal static partial class Detachment
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const string Nowhere = "/dev/null";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Makes a session of its own and sends standard error to <paramref name="logFile"/>, else nowhere. To be called before anything
    /// is written there: the console keeps what it opened first.
    /// </summary>
    public static void LeaveTerminal(string? logFile)
    {
        _ = SetSession();
        if (logFile is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(logFile))!);
        }

        using FileStream log = new(logFile ?? Nowhere, new FileStreamOptions
        {
            Mode = logFile is null ? FileMode.Open : FileMode.Append,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = logFile is null ? null : OwnerOnly,
        });
        Redirect(log.SafeFileHandle, StandardError);
    }

    /// <summary>Writes one line to whoever started this process, who then need not wait for more.</summary>
    public static void TellAndCloseOutput(string line)
    {
        using SafeFileHandle output = new(StandardOutput, ownsHandle: false);
        using (FileStream stream = new(output, FileAccess.Write, bufferSize: 0))
        {
            stream.Write(Encoding.UTF8.GetBytes(line + '\n'));
        }

        using SafeFileHandle nowhere = File.OpenHandle(Nowhere, FileMode.Open, FileAccess.Write);
        Redirect(nowhere, StandardOutput);
    }

    private static void Redirect(SafeFileHandle file, int descriptor) => _ = Duplicate((int)file.DangerousGetHandle(), descriptor);

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int descriptor, int target);
}
