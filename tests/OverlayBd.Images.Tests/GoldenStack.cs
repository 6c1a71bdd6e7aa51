// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Images.Tests;

/// <summary>Two layers made by the original tools (tar over ZFile over LSMT), and what their stack reads as.</summary>
internal static class GoldenStack
{
    public const long VirtualSize = 1L << 30;

    /// <summary>The SHA-256 of the whole disk with both layers, as the original exports it.</summary>
    public const string BothLayers = "a7c426602c9bfd481c40e81b61949a04d24309a4116363b4c6ebe823a30a7951";

    /// <summary>The SHA-256 of the whole disk with the bottom layer alone.</summary>
    public const string BottomLayer = "d8671666f60a3a6469c069192642bc8cdf4bca1e77aec5f74cae6cff4eef3fab";

    public static byte[] Layer(int index) => File.ReadAllBytes(PathOf(index));

    public static string PathOf(int index) => Path.Combine(AppContext.BaseDirectory, "Golden", "stack", $"layer{index}.commit.tar");

    public static Descriptor Descriptor(byte[] layer)
    {
        var digest = Digest.Sha256(layer);
        return new Descriptor
        {
            MediaType = MediaTypes.OciLayer,
            Digest = digest,
            Size = layer.Length,
            Annotations = new Dictionary<string, string>
            {
                [OverlayBdAnnotations.BlobDigest] = digest.ToString(),
                [OverlayBdAnnotations.BlobSize] = layer.Length.ToString(CultureInfo.InvariantCulture),
                [OverlayBdAnnotations.Version] = OverlayBdAnnotations.NativeVersion,
            },
        };
    }

    public static Manifest Manifest(params Descriptor[] layers) => new()
    {
        SchemaVersion = 2,
        MediaType = MediaTypes.OciManifest,
        Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256([]), Size = 0 },
        Layers = layers,
    };

    public static async Task<string> HashAsync(BlockSource source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[4 << 20];
        for (long offset = 0; offset < source.Length; offset += buffer.Length)
        {
            Memory<byte> part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, source.Length - offset));
            await source.ReadAsync(offset, part, TestContext.Current.CancellationToken);
            hash.AppendData(part.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
