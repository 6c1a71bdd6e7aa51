// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;
using OverlayBd.Images.Downloading;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Images;

/// <summary>An open layer of an <see cref="OverlayBdImage"/>: what it is, and where its bytes come from.</summary>
public sealed class ImageLayer
{
    private readonly CachedBlockSource? _cached;
    private readonly string? _path;

    internal ImageLayer(
        LayerBlob blob, string name, Digest? digest, long size, string? path, CachedBlockSource? cached, DownloadTarget? download = null)
    {
        Blob = blob;
        Name = name;
        Digest = digest;
        Size = size;
        _path = path;
        _cached = cached;
        Download = download;
    }

    /// <summary>Gets what messages call the layer.</summary>
    public string Name { get; }

    /// <summary>Gets the digest of the stored layer; <see langword="null"/> when it is local and nobody said.</summary>
    public Digest? Digest { get; }

    /// <summary>Gets the size of the stored layer, in bytes.</summary>
    public long Size { get; }

    /// <summary>Gets the path of the file that is read; <see langword="null"/> when the layer is read from a registry.</summary>
    /// <remarks>A layer that has been downloaded in the background is read from its file from then on.</remarks>
    public string? Path => Download is { Source.IsSwitched: true } ? Download.CommitPath : _path;

    /// <summary>Gets whether the layer is read from a file.</summary>
    public bool IsLocal => Path is not null;

    /// <summary>Gets what is wrapped around the layer as it is stored, the outermost first.</summary>
    public IReadOnlyList<LayerWrapping> Wrappings => Blob.Wrappings;

    /// <summary>Gets how the layer is compressed; <see langword="null"/> when it is not.</summary>
    public CompressionAlgorithm? Compression => Blob.ZFile?.Algorithm;

    /// <summary>Gets the size of a compressed block before compression, in bytes; 0 when the layer is not compressed.</summary>
    public int CompressionBlockSize => Blob.ZFile?.BlockSize ?? 0;

    /// <summary>Gets the layer's identity, upper case; all zeros when it has none.</summary>
    public string Uuid => Blob.Layer.Uuid;

    /// <summary>Gets the size of the disk as this layer states it, in bytes; 0 when it leaves that to others.</summary>
    public long VirtualSize => Blob.Layer.VirtualSize;

    /// <summary>Gets the number of mappings in the layer's index.</summary>
    public int MappingCount => Blob.Layer.MappingCount;

    /// <summary>Gets how many bytes of the disk the layer holds.</summary>
    public long DataBytes => Blob.Layer.DataBytes;

    /// <summary>Gets what the cache did for this layer since it was opened; <see langword="null"/> when it is not read through
    /// one.</summary>
    public BlockCacheStatistics? CacheStatistics => _cached?.Statistics;

    internal LayerBlob Blob { get; }

    /// <summary>Where the layer may be downloaded to; null for one that is local, or has no place.</summary>
    internal DownloadTarget? Download { get; }
}
