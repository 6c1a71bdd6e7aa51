// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Format.ZFile;
using OverlayBd.Registry;

namespace OverlayBd.Hosts.Tests;

/// <summary>A small image that can be run: a shell and a few programs of this machine on ext4, as one overlaybd layer in an OCI layout.</summary>
public sealed class TestImage : IAsyncLifetime
{
    private const long DiskSize = 64L << 20;

    private static readonly string[] s_programs = ["/bin/sh", "/bin/cat", "/bin/sleep", "/usr/bin/id", "/bin/ls"];

    private readonly CommandLineFixture _files = new();

    /// <summary>The image's name for a verb.</summary>
    public string Name => "oci:" + _files["layout"] + ":test";

    /// <summary>The disk that the image holds.</summary>
    public string RawDisk => _files["disk.raw"];

    /// <summary>The image's layer as a file.</summary>
    public string Layer => _files["layer.zfile"];

    public async ValueTask InitializeAsync()
    {
        await MakeRootAsync(_files["root"]);
        using (FileStream disk = File.Create(RawDisk))
        {
            disk.SetLength(DiskSize);
        }

        await CommandLineFixture.HostAsync("mkfs.ext4", "-q", "-O", "^has_journal", "-d", _files["root"], RawDisk);
        await MakeLayerAsync();
        await PushAsync();
    }

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return default;
    }

    private static async Task MakeRootAsync(string root)
    {
        foreach (string folder in (string[])["bin", "dev", "etc", "proc", "sys", "tmp", "usr/bin", "home/tester"])
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
        }

        HashSet<string> files = [];
        foreach (string program in s_programs)
        {
            files.Add(program);
            string libraries = await CommandLineFixture.HostAsync("ldd", program);
            files.UnionWith(libraries.Split(' ', '\t', '\n').Where(word => word.StartsWith('/')));
        }

        foreach (string file in files)
        {
            string copy = Path.Combine(root, file[1..]);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }

        await File.WriteAllTextAsync(Path.Combine(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\ntester:x:1234:1235::/home/tester:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(root, "etc/group"), "root:x:0:\ntester:x:1235:\nextra:x:1300:tester\n");
        await File.WriteAllTextAsync(Path.Combine(root, "etc/hello"), "hello from the image\n");
    }

    private async Task MakeLayerAsync()
    {
        await using LsmtWritableImage image = await LsmtWritableImage.CreateAsync(
            _files["data"], _files["index"], new() { VirtualSize = DiskSize });
        await using FileBlockSource disk = FileBlockSource.Open(RawDisk);
        byte[] block = new byte[64 * 1024];
        for (long offset = 0; offset < DiskSize; offset += block.Length)
        {
            await disk.ReadAsync(offset, block);
            if (block.AsSpan().ContainsAnyExcept((byte)0))
            {
                await image.WriteAsync(offset, block);
            }
        }

        await using FileStream file = File.Create(Layer);
        await using ZFileWriter writer = new(file, new() { Algorithm = CompressionAlgorithm.Lz4 });
        await image.CommitAsync(writer, new());
    }

    private async Task PushAsync()
    {
        using RegistryClient client = new(new());
        await using ImageRepository layout = ImageLocation.Parse(Name).Open(client);
        byte[] layerBytes = await File.ReadAllBytesAsync(Layer);
        Digest digest = Digest.Sha256(layerBytes);
        Descriptor layer = new()
        {
            MediaType = MediaTypes.OciLayer,
            Digest = digest,
            Size = layerBytes.Length,
            Annotations = new Dictionary<string, string>
            {
                [OverlayBdAnnotations.BlobDigest] = digest.ToString(),
                [OverlayBdAnnotations.BlobSize] = layerBytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
        };
        byte[] document = OciJson.Write(new ImageDocument
        {
            Architecture = "amd64",
            Os = "linux",
            Config = new()
            {
                Cmd = ["/bin/sh", "-c", "cat /etc/hello"],
                Env = ["FROM_IMAGE=yes", "REPLACED=image"],
                User = "tester",
                WorkingDir = "/home/tester",
            },
            RootFs = new() { Type = "layers", DiffIds = [digest] },
        });
        Descriptor config = new() { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256(document), Size = document.Length };
        await PushAsync(layout, layer, layerBytes);
        await PushAsync(layout, config, document);
        byte[] manifest = OciJson.Write(new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = config,
            Layers = [layer],
        });
        await layout.PushManifestAsync(manifest, MediaTypes.OciManifest, "test");
        await layout.CompleteAsync();
    }

    private static Task PushAsync(ImageRepository layout, Descriptor blob, byte[] content) =>
        layout.PushBlobAsync(blob, _ => new(new MemoryStream(content)));
}
