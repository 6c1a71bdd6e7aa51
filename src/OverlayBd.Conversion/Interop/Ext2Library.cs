// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace OverlayBd.Conversion.Interop;

/// <summary>Loads libext2fs once and refuses versions whose layouts are not known.</summary>
internal static unsafe class Ext2Library
{
    private const int OldestVersion = 146;
    private const int NewestVersion = 147;
    private static readonly Lazy<string?> s_problem = new(Probe);

    /// <summary>Makes sure that the library is there and usable.</summary>
    /// <exception cref="PlatformNotSupportedException">It is missing, or of a version this library does not know.</exception>
    internal static void Load()
    {
        if (s_problem.Value is string problem)
        {
            throw new PlatformNotSupportedException(problem);
        }
    }

    /// <summary>Compares what the library allocated with the layout these bindings assume.</summary>
    /// <exception cref="PlatformNotSupportedException">They differ.</exception>
    internal static void CheckLayout(Ext2FileSystem* fileSystem)
    {
        bool known = fileSystem->Magic == Ext2FileSystem.ExpectedMagic
            && fileSystem->Channel->Magic == IoChannel.ExpectedMagic
            && fileSystem->Channel->Manager == Ext2Device.Manager
            && fileSystem->SuperBlock->Magic == Ext2SuperBlock.ExpectedMagic
            && fileSystem->BlockSize == 1024u << (int)fileSystem->SuperBlock->LogBlockSize;
        if (!known)
        {
            throw new PlatformNotSupportedException("libext2fs.so.2 lays out its objects in a way that is not known here.");
        }
    }

    /// <summary>Reads "1.47.0" as 147; the library's own number counts the third part only when there is one.</summary>
    internal static int ParseVersion(ReadOnlySpan<byte> text)
    {
        int dot = text.IndexOf((byte)'.');
        if (dot <= 0)
        {
            return 0;
        }

        ReadOnlySpan<byte> minor = text[(dot + 1)..];
        int end = minor.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        minor = end < 0 ? minor : minor[..end];
        return int.TryParse(text[..dot], null, out int major) && int.TryParse(minor, null, out int low) && low is >= 0 and < 100
            ? (major * 100) + low
            : 0;
    }

    private static string? Probe()
    {
        if (!Environment.Is64BitProcess || !BitConverter.IsLittleEndian)
        {
            return "Writing ext4 needs a 64-bit little-endian process.";
        }

        try
        {
            byte* version;
            _ = LibExt2.GetLibraryVersion(&version, null);
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(version);
            if (ParseVersion(text) is < OldestVersion or > NewestVersion)
            {
                return $"libext2fs.so.2 is version {System.Text.Encoding.ASCII.GetString(text)}; versions 1.46 and 1.47 are supported.";
            }

            LibComErr.InitializeExt2ErrorTable();
            return null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return "Writing ext4 needs libext2fs.so.2 and libcom_err.so.2 of e2fsprogs 1.46 or 1.47 "
                + $"(Debian packages libext2fs2 and libcom-err2): {exception.Message}";
        }
    }
}
