// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Tar;

/// <summary>The numbers and names of the tar wrapper around a layer blob (overlaybd tar/tar_file.cpp).</summary>
internal static class TarBlobConstants
{
    /// <summary>The length of a tar record, in bytes.</summary>
    public const int RecordLength = 512;

    /// <summary>Where the content starts when a pax header comes first, in bytes.</summary>
    public const int PaxContentOffset = 3 * RecordLength;

    /// <summary>Where the content starts in the old layout, without pax header, in bytes.</summary>
    public const int PlainContentOffset = RecordLength;

    /// <summary>The zeros that end the archive, in bytes.</summary>
    public const int EndLength = 2 * RecordLength;

    /// <summary>The type flag of a pax header.</summary>
    public const byte PaxType = (byte)'x';

    /// <summary>The type flag of a regular file.</summary>
    public const byte FileType = (byte)'0';

    /// <summary>Gets the name of the pax header.</summary>
    public static ReadOnlySpan<byte> PaxName => "overlaybd.pax"u8;

    /// <summary>Gets the name of the one file inside.</summary>
    public static ReadOnlySpan<byte> ContentName => "overlaybd.commit"u8;
}
