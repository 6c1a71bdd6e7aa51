// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containerd;

/// <summary>What became of a layer.</summary>
internal enum UnpackOutcome
{
    /// <summary>Its snapshot was there.</summary>
    WasThere,

    /// <summary>The snapshotter provides it without its blob: it is read from the registry when it is needed.</summary>
    Provided,

    /// <summary>Its blob was fetched and unpacked.</summary>
    Unpacked,
}
