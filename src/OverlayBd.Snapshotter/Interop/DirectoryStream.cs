// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Snapshotter.Interop;

/// <summary>The entries of one directory, as the kernel names them (readdir(3), <c>struct dirent64</c>).</summary>
internal sealed unsafe class DirectoryStream : IDisposable
{
    private const int NameOffset = 19;
    private nint _stream;

    private DirectoryStream(nint stream, int descriptor)
    {
        _stream = stream;
        Descriptor = descriptor;
    }

    /// <summary>The open directory, for calls relative to it.</summary>
    public int Descriptor { get; }

    /// <summary>Opens a directory in another one; null when it is none, or gone.</summary>
    public static DirectoryStream? TryOpen(int parent, byte[] name)
    {
        fixed (byte* bytes = name)
        {
            int descriptor = LinuxCalls.OpenDirectory(parent, bytes);
            if (descriptor < 0)
            {
                return null;
            }

            nint stream = LinuxCalls.OpenStream(descriptor);
            if (stream == 0)
            {
                _ = LinuxCalls.Close(descriptor);
                return null;
            }

            return new(stream, descriptor);
        }
    }

    /// <summary>Reads the names of all entries but the directory itself and the one above, each with its closing zero byte.</summary>
    public List<byte[]> ReadNames()
    {
        List<byte[]> names = [];
        for (byte* entry = LinuxCalls.ReadEntry(_stream); entry is not null; entry = LinuxCalls.ReadEntry(_stream))
        {
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + NameOffset);
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                names.Add([.. name, 0]);
            }
        }

        return names;
    }

    public void Dispose()
    {
        nint stream = Interlocked.Exchange(ref _stream, 0);
        if (stream != 0)
        {
            _ = LinuxCalls.CloseStream(stream);
        }
    }
}
