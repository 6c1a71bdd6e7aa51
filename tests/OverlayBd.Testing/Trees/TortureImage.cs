// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Testing.Trees;

/// <summary>An image made to be difficult: every feature of tar, every rule of layers, at the limits of ext4. The same
/// bytes each time.</summary>
public static class TortureImage
{
    /// <summary>The tag of the image in the layout.</summary>
    public const string Tag = "torture";

    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>Makes the layers, bottom first: as tar, tar and gzip (also of several members), and tar and zstd.</summary>
    /// <param name="portable">Leaves out what common tools cannot unpack although it is legal (zstd, global headers, types 7
    /// and S, and paths that exceed the kernel's 4096 bytes together with the directory that they are unpacked into), and
    /// most of what makes it large.</param>
    public static IReadOnlyList<TortureLayer> Layers(bool portable = false)
    {
        byte[] bottom = TortureContent.Bottom(portable);
        byte[] many = TortureContent.Many(portable);
        byte[] changes = TortureContent.Changes();
        byte[] top = TortureContent.Top(portable);
        return
        [
            new(bottom, Gzip(bottom, members: 3), LayerType + "+gzip"),
            new(many, portable ? Gzip(many, members: 1) : Zstd(many), LayerType + (portable ? "+gzip" : "+zstd")),
            new(changes, changes, LayerType),
            new(top, Gzip(top, members: 1), LayerType + "+gzip"),
        ];
    }

    /// <summary>What the image looks like when it is mounted.</summary>
    public static FileTree Tree(bool portable = false) => FileTree.FromTars(Layers(portable).Select(layer => layer.Tar));

    /// <summary>Writes the image as an OCI layout, to be read as <c>oci:DIRECTORY:torture</c>.</summary>
    /// <param name="directory">A directory; created when it does not exist.</param>
    /// <param name="portable">As for <see cref="Layers"/>.</param>
    /// <returns>The digest of the manifest.</returns>
    public static string WriteOciLayout(string directory, bool portable = false)
    {
        Directory.CreateDirectory(Path.Combine(directory, "blobs", "sha256"));
        var layers = new JsonArray();
        var diffs = new JsonArray();
        foreach (TortureLayer layer in Layers(portable))
        {
            layers.Add(WriteBlob(directory, layer.MediaType, layer.Blob));
            diffs.Add("sha256:" + Convert.ToHexStringLower(SHA256.HashData(layer.Tar)));
        }

        var config = new JsonObject
        {
            ["created"] = "2024-01-01T00:00:00Z",
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/true"), ["WorkingDir"] = "/" },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffs },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = WriteBlob(directory, "application/vnd.oci.image.config.v1+json", Bytes(config)),
            ["layers"] = layers,
        };
        JsonObject descriptor = WriteBlob(directory, "application/vnd.oci.image.manifest.v1+json", Bytes(manifest));
        string digest = descriptor["digest"]!.GetValue<string>();
        descriptor["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = Tag };
        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(descriptor) };
        File.WriteAllBytes(Path.Combine(directory, "index.json"), Bytes(index));
        File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        return digest;
    }

    private static JsonObject WriteBlob(string directory, string mediaType, byte[] content)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(content));
        File.WriteAllBytes(Path.Combine(directory, "blobs", "sha256", hash), content);
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = "sha256:" + hash, ["size"] = content.Length };
    }

    private static byte[] Bytes(JsonObject document) => TarItem.Bytes(document.ToJsonString());

    private static byte[] Gzip(byte[] tar, int members)
    {
        var output = new MemoryStream();
        foreach (byte[] part in tar.Chunk((tar.Length + members - 1) / members))
        {
            using var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(part);
        }

        return output.ToArray();
    }

    private static byte[] Zstd(byte[] tar)
    {
        using var compressor = new ZstdSharp.Compressor(3);
        return [.. compressor.Wrap(tar.AsSpan(0, tar.Length / 2)), .. compressor.Wrap(tar.AsSpan(tar.Length / 2))];
    }
}
