// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Testing.Tar;

/// <summary>GNU tar's ways to store a sparse file.</summary>
public enum TarSparseFormat
{
    /// <summary>Type S: the map is in the header and the blocks behind it.</summary>
    Gnu,

    /// <summary>A pair of records for each segment.</summary>
    Pax00,

    /// <summary>One record with the whole map, and the name in another.</summary>
    Pax01,

    /// <summary>The map is in front of the content.</summary>
    Pax10,
}
