// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace OverlayBd.SnapshotterHost;

/// <summary>The file of a unix socket: only one daemon may have it, only its owner may open it.</summary>
internal static partial class SocketFile
{
    private const uint OwnerOnlyMask = 0b001_111_111; // 0177
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Creates the folder, and removes the socket that a daemon left behind which is not there any more.</summary>
    /// <exception cref="IOException">Another daemon listens.</exception>
    public static void Prepare(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly);
        if (!File.Exists(path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"another daemon listens on {path}");
    }

    /// <summary>Has the files that are made until it is disposed belong to their owner alone.</summary>
    public static IDisposable RestrictNew() => new Mask(SetMask(OwnerOnlyMask));

    public static void Remove(string path) => File.Delete(path);

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);

    private sealed class Mask(uint before) : IDisposable
    {
        public void Dispose() => _ = SetMask(before);
    }
}
