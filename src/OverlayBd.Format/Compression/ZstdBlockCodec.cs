// SPDX-License-Identifier: Apache-2.0

using ZstdSharp;

namespace OverlayBd.Format.Compression;

/// <summary>zstd frames, one a block, with content size and without checksum or dictionary.</summary>
internal sealed class ZstdBlockCodec : BlockCodec
{
    public static readonly ZstdBlockCodec Instance = new();

    // What the original compresses with (overlaybd zfile/compressor.cpp).
    private const int Level = 3;

    private readonly CodecContextPool<Compressor> _compressors = new(static () => new Compressor(Level));
    private readonly CodecContextPool<Decompressor> _decompressors = new(static () => new Decompressor());

    private ZstdBlockCodec()
    {
    }

    public override int GetMaxCompressedLength(int length) => Compressor.GetCompressBound(length);

    public override int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Compressor compressor = _compressors.Rent();
        try
        {
            return compressor.Wrap(source, destination);
        }
        finally
        {
            _compressors.Return(compressor);
        }
    }

    public override bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        Decompressor decompressor = _decompressors.Rent();
        try
        {
            return decompressor.TryUnwrap(source, destination, out written);
        }
        catch (ZstdException)
        {
            written = 0;
            return false;
        }
        finally
        {
            _decompressors.Return(decompressor);
        }
    }
}
