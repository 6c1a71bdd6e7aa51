// SPDX-License-Identifier: Apache-2.0

using System.ComponentModel;
using System.Runtime.InteropServices;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Mounting;

/// <summary>mount(2) and umount2(2), with errors that say what was mounted where.</summary>
internal static partial class Mounts
{
    private const int Detach = 2;
    private const int UmountNoFollow = 8;
    private const int EPERM = 1;
    private const int EINVAL = 22;

    public static void Mount(string source, string target, string type, MountFlags flags, string data = "")
    {
        if (MountNative(source, target, type, (nuint)flags, data) != 0)
        {
            throw Failure($"{source} cannot be mounted on {target} as {type}");
        }
    }

    /// <summary>Unmounts; a mount that somebody uses stays, unless <paramref name="lazily"/>.</summary>
    public static void Unmount(string target, bool lazily = false)
    {
        if (UnmountNative(target, UmountNoFollow | (lazily ? Detach : 0)) != 0)
        {
            throw Failure($"{target} cannot be unmounted");
        }
    }

    private static CommandException Failure(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        string? advice = error switch
        {
            EPERM => "run it as root.",
            EINVAL => "dmesg, which tells what the file system misses.",
            _ => null,
        };
        return new($"{what}: {new Win32Exception(error).Message}.", advice);
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountNative(string source, string target, string type, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnmountNative(string target, int flags);
}
