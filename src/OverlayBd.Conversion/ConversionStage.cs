// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion;

/// <summary>What is being done to a layer.</summary>
public enum ConversionStage
{
    /// <summary>The original layer is fetched and checked.</summary>
    Fetch,

    /// <summary>The layer's tar is applied to the file system and committed as a block layer.</summary>
    Build,

    /// <summary>The block layer is uploaded.</summary>
    Upload,
}
