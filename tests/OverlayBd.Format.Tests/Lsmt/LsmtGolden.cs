// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using OverlayBd.Format.Lsmt;

namespace OverlayBd.Format.Tests.Lsmt;

/// <summary>Files made by the original tools.</summary>
internal static class LsmtGolden
{
    private static readonly byte[] s_zeros = new byte[1024 * 1024];

    /// <summary>The content of a file, unpacked if only its packed form is kept.</summary>
    public static byte[] Read(string name)
    {
        string path = Path.Combine(Directory(), name);
        if (File.Exists(path))
        {
            return File.ReadAllBytes(path);
        }

        using var packed = new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress);
        using var content = new MemoryStream();
        packed.CopyTo(content);
        return content.ToArray();
    }

    public static async Task<LsmtLayer> OpenAsync(string name) =>
        await LsmtLayer.OpenAsync(new MemoryBlockSource(Read(name)), name);

    public static async Task<LsmtImage> StackAsync(params string[] names)
    {
        var layers = new List<LsmtLayer>();
        foreach (string name in names)
        {
            layers.Add(await OpenAsync(name));
        }

        return LsmtImage.Stack(layers);
    }

    public static string Sha256(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>The digest of a whole virtual disk; what is not mapped is hashed without being read.</summary>
    public static async Task<string> Sha256Async(BlockSource disk, IEnumerable<LsmtExtent> extents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long at = 0;
        foreach (LsmtExtent extent in extents.Where(extent => !extent.IsZero))
        {
            AppendZeros(hash, extent.Offset - at);
            byte[] data = new byte[extent.Length];
            await disk.ReadAsync(extent.Offset, data);
            hash.AppendData(data);
            at = extent.Offset + extent.Length;
        }

        AppendZeros(hash, disk.Length - at);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendZeros(IncrementalHash hash, long count)
    {
        for (; count > 0; count -= Math.Min(count, s_zeros.Length))
        {
            hash.AppendData(s_zeros, 0, (int)Math.Min(count, s_zeros.Length));
        }
    }

    private static string Directory([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "Golden"));
}
