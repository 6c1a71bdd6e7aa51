// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Tar;

/// <summary>The flavours of tar header that <see cref="TarBuilder"/> writes.</summary>
public enum TarFormat
{
    /// <summary>Names of 100 bytes, no magic.</summary>
    V7,

    /// <summary>POSIX.1-1988: names of 255 bytes in two parts.</summary>
    Ustar,

    /// <summary>GNU: long names in entries of their own, numbers in base-256, sparse files of type S.</summary>
    Gnu,

    /// <summary>POSIX.1-2001: whatever does not fit is an extended record.</summary>
    Pax,
}
