// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>What a stored layer may be wrapped in.</summary>
public enum LayerWrapping
{
    /// <summary>A tar archive of one file, which lets registries and tools take the layer for an ordinary one.</summary>
    Tar,

    /// <summary>A ZFile: compressed in blocks, readable anywhere.</summary>
    ZFile,
}
