// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Storage;

/// <summary>How the content of a snapshot is stored.</summary>
internal enum LayerStorage
{
    /// <summary>As files.</summary>
    Normal,

    /// <summary>As a block layer in a file here.</summary>
    LocalBlock,

    /// <summary>As a block layer in a registry.</summary>
    RemoteBlock,
}
