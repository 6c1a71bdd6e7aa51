// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>Files that the original tools wrote, and what they hold.</summary>
internal static class ZFileVectors
{
    /// <summary>The raw file that most vectors hold.</summary>
    public static byte[] Raw { get; } = ReadCompressed("raw.bin.gz");

    /// <summary>The stored bytes of a vector.</summary>
    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(GetDirectory(), name));

    /// <summary>The sha256 of what a vector holds, as lower-case hex.</summary>
    public static string ContentHash(string name)
    {
        using JsonDocument manifest = JsonDocument.Parse(Read("manifest.json"));
        JsonElement result = manifest.RootElement.GetProperty("results").GetProperty(name);
        return (result.TryGetProperty("logical_sha256", out JsonElement hash) ? hash : result.GetProperty("extract_sha256")).GetString()!;
    }

    private static string GetDirectory([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "Golden", "zfile"));

    private static byte[] ReadCompressed(string name)
    {
        using var stream = new GZipStream(new MemoryStream(Read(name)), CompressionMode.Decompress);
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
