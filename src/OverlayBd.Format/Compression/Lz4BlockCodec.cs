// SPDX-License-Identifier: Apache-2.0

using K4os.Compression.LZ4;

namespace OverlayBd.Format.Compression;

/// <summary>LZ4 blocks. The encoder gives the very bytes of liblz4's LZ4_compress_default.</summary>
internal sealed class Lz4BlockCodec : BlockCodec
{
    public static readonly Lz4BlockCodec Instance = new();

    private Lz4BlockCodec()
    {
    }

    public override int GetMaxCompressedLength(int length) => LZ4Codec.MaximumOutputSize(length);

    public override int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        int written = LZ4Codec.Encode(source, destination, LZ4Level.L00_FAST);
        return written > 0
            ? written
            : throw new ArgumentException($"{source.Length} bytes do not fit {destination.Length} when compressed.", nameof(destination));
    }

    public override bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = LZ4Codec.Decode(source, destination);
        if (written >= 0)
        {
            return true;
        }

        written = 0;
        return false;
    }
}
