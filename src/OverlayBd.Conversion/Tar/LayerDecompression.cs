// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>Turns a layer blob into its tar archive, whatever it is compressed with.</summary>
internal static class LayerDecompression
{
    /// <summary>Opens a layer. The compression is recognised by the first bytes when they are read, not by the media type:
    /// gzip with any number of members, zstd with any number of frames, or none.</summary>
    /// <param name="compressed">The blob; owned by the returned stream, and read to its end when the archive ends.</param>
    /// <param name="name">The layer's name for messages.</param>
    /// <returns>A stream to be read asynchronously, forward only. Reading throws <see cref="InvalidDataException"/> when the
    /// compressed bytes are damaged, and <see cref="EndOfStreamException"/> when they end too early.</returns>
    public static Stream Open(Stream compressed, string name)
    {
        ArgumentNullException.ThrowIfNull(compressed);
        ArgumentNullException.ThrowIfNull(name);
        return new LayerDecompressionStream(compressed, name);
    }
}
