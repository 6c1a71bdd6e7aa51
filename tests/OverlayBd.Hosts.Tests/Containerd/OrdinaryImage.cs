// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>A small image of two gzip layers that can be run: a shell and a few programs of this machine, and a file above them.</summary>
internal sealed class OrdinaryImage
{
    private static readonly string[] s_programs = ["/bin/sh", "/bin/cat", "/bin/sleep", "/usr/bin/id"];

    private readonly Dictionary<Digest, byte[]> _blobs = [];

    public required Manifest Manifest { get; init; }

    public byte[] Document => OciJson.Write(Manifest);

    public Digest Digest => Digest.Sha256(Document);

    /// <summary>Makes the image.</summary>
    /// <param name="seed">What makes its top layer one of its own: containerd has a blob that any namespace has.</param>
    /// <param name="wrongDiffId">Whether the config names another tar than the top layer's.</param>
    public static async Task<OrdinaryImage> CreateAsync(int seed = 0, bool wrongDiffId = false)
    {
        HashSet<string> files = [.. s_programs];
        foreach (string program in s_programs)
        {
            string libraries = await CommandLineFixture.HostAsync("ldd", program);
            files.UnionWith(libraries.Split(' ', '\t', '\n').Where(word => word.StartsWith('/')));
        }

        byte[] lower = MakeTar(files.Select(file => (file[1..], File.ReadAllBytes(file))));
        byte[] noise = new byte[1 << 20];
        new Random(seed).NextBytes(noise);
        byte[] upper = MakeTar(
        [
            ("etc/hello", "hello from the image\n"u8.ToArray()),
            ("etc/passwd", "tester:x:1234:1235::/:/bin/sh\n"u8.ToArray()),
            ("etc/noise", noise),
        ]);
        Dictionary<Digest, byte[]> blobs = [];
        Descriptor[] layers = [Add(blobs, Compress(lower), MediaTypes.OciLayerGzip), Add(blobs, Compress(upper), MediaTypes.OciLayerGzip)];
        byte[] config = OciJson.Write(new ImageDocument
        {
            Architecture = "amd64",
            Os = "linux",
            Config = new() { Cmd = ["/bin/sh", "-c", "cat /etc/hello"], User = "tester" },
            RootFs = new() { DiffIds = [Digest.Sha256(lower), Digest.Sha256(wrongDiffId ? lower : upper)] },
        });
        OrdinaryImage image = new()
        {
            Manifest = new()
            {
                SchemaVersion = 2,
                MediaType = MediaTypes.OciManifest,
                Config = Add(blobs, config, MediaTypes.OciConfig),
                Layers = layers,
            },
        };
        foreach ((Digest digest, byte[] content) in blobs)
        {
            image._blobs[digest] = content;
        }

        return image;
    }

    /// <summary>Pushes the image. With an index, that gets the tag and names the image of another platform too, which nobody has.</summary>
    public async Task PushAsync(string name, bool withIndex = false)
    {
        using RegistryClient client = new(new() { UserName = DockerRegistry.UserName, Password = DockerRegistry.Password });
        ImageReference reference = ImageReference.Parse(name);
        await using ImageRepository repository = client.GetRepository(reference);
        foreach (Descriptor blob in (Descriptor[])[.. Manifest.Layers, Manifest.Config])
        {
            await repository.PushBlobAsync(blob, _ => new(new MemoryStream(_blobs[blob.Digest])));
        }

        Descriptor pushed = await repository.PushManifestAsync(Document, MediaTypes.OciManifest, withIndex ? null : reference.Tag);
        if (withIndex)
        {
            ImageIndex index = new()
            {
                SchemaVersion = 2,
                MediaType = MediaTypes.OciIndex,
                Manifests = [pushed with { Platform = new() { Os = "linux", Architecture = "amd64" } }],
            };
            await repository.PushManifestAsync(OciJson.Write(index), MediaTypes.OciIndex, reference.Tag);
        }
    }

    /// <summary>The blobs, for a registry that is filled by hand.</summary>
    public IEnumerable<(Descriptor Blob, byte[] Content)> Blobs() =>
        ((Descriptor[])[.. Manifest.Layers, Manifest.Config]).Select(blob => (blob, _blobs[blob.Digest]));

    private static Descriptor Add(Dictionary<Digest, byte[]> blobs, byte[] content, string mediaType)
    {
        Digest digest = Digest.Sha256(content);
        blobs[digest] = content;
        return new() { MediaType = mediaType, Digest = digest, Size = content.Length };
    }

    private static byte[] MakeTar(IEnumerable<(string Name, byte[] Content)> files)
    {
        using MemoryStream stream = new();
        TarBuilder tar = new(stream);
        HashSet<string> folders = [];
        foreach ((string name, byte[] content) in files)
        {
            for (int slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
            {
                if (folders.Add(name[..slash]))
                {
                    tar.Add(TarItem.Directory(name[..slash] + "/"));
                }
            }

            tar.Add(TarItem.File(name, content) with { Mode = 0b111_101_101 });
        }

        tar.Finish();
        return stream.ToArray();
    }

    private static byte[] Compress(byte[] content)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return stream.ToArray();
    }
}
