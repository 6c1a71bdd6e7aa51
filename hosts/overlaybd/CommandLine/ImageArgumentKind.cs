// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.CommandLine;

internal enum ImageArgumentKind
{
    /// <summary>A reference to a registry, an OCI layout or an OCI archive.</summary>
    Image,

    /// <summary>A device configuration (<c>config.v1.json</c>).</summary>
    DeviceConfig,

    /// <summary>One stored layer.</summary>
    LayerFile,
}
