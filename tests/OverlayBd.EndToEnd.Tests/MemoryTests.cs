// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Tar;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace OverlayBd.EndToEnd.Tests;

public sealed class MemoryTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(MediaTypes.OciLayerGzip)]
    [InlineData(MediaTypes.OciLayerZstd)]
    public async Task Conversion_OfALayerOfGibibytes_StaysBelow256MiB(string mediaType)
    {
        using var directory = new TempDirectory();
        string layout = $"oci:{directory["layout"]}";
        await WriteImageAsync(layout, directory["layer"], mediaType);

        Directory.CreateDirectory(directory["work"]);
        var start = new ProcessStartInfo(Programs.OverlayBd, ["convert", $"{layout}:big", $"oci:{directory["converted"]}:big"])
        {
            Environment = { ["TMPDIR"] = directory["work"] },
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();

        // VmHWM is the peak so far, so that looking now and then is enough.
        long peak = 0;
        while (!process.WaitForExit(20))
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It is ending, and has no memory any more.
            }
        }

        Assert.True(process.ExitCode == 0, await error);
        Assert.StartsWith("sha256:", await output, StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage("the conversion took {0} MiB", peak / MiB);
        Assert.InRange(peak, 16 * MiB, 256 * MiB);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory["work"]));
    }

    private static Stream Compress(Stream output, string mediaType)
    {
        if (mediaType == MediaTypes.OciLayerGzip)
        {
            return new GZipStream(output, CompressionLevel.Fastest);
        }

        // The largest window that is accepted; the decoder needs as much memory.
        var zstd = new CompressionStream(output, level: 1, leaveOpen: false);
        zstd.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, 27);
        return zstd;
    }

    /// <summary>A layer with a sparse file of 2 GiB and 1 GiB of files that halve when they are compressed.</summary>
    private static async Task WriteImageAsync(string layout, string file, string mediaType)
    {
        byte[] content = new byte[64 * MiB];
        for (int at = 0; at < content.Length; at += 4096)
        {
            new Random(at).NextBytes(content.AsSpan(at, 2048));
        }

        Digest diffId;
        using (SHA256 hash = SHA256.Create())
        {
            await using (FileStream output = File.Create(file))
            await using (Stream compressed = Compress(output, mediaType))
            await using (var hashed = new CryptoStream(compressed, hash, CryptoStreamMode.Write))
            {
                var tar = new TarBuilder(hashed);
                tar.Add(TarItem.SparseFile("sparse", TarSparseFormat.Pax10, 2048 * MiB, (1024 * MiB, content[..4096])));
                for (int i = 0; i < 16; i++)
                {
                    content[0] = (byte)i;
                    tar.Add(TarItem.File($"real-{i}", content));
                }

                tar.Finish();
            }

            diffId = Digest.FromSha256(hash.Hash);
        }

        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository repository = ImageLocation.Parse(layout).Open(client);
        Descriptor layer;
        await using (FileStream stream = File.OpenRead(file))
        {
            layer = new Descriptor
            {
                MediaType = mediaType,
                Digest = Digest.FromSha256(await SHA256.HashDataAsync(stream)),
                Size = stream.Length,
            };
        }

        await repository.PushBlobAsync(layer, _ => new ValueTask<Stream>(File.OpenRead(file)));
        byte[] document = OciJson.Write(new ImageDocument
        {
            Os = "linux",
            Architecture = "amd64",
            RootFs = new RootFs { Type = "layers", DiffIds = [diffId] },
        });
        var config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256(document), Size = document.Length };
        await repository.PushBlobAsync(config, _ => new ValueTask<Stream>(new MemoryStream(document)));
        var manifest = new Manifest { SchemaVersion = 2, MediaType = MediaTypes.OciManifest, Config = config, Layers = [layer] };
        await repository.PushManifestAsync(OciJson.Write(manifest), MediaTypes.OciManifest, "big");
        File.Delete(file);
    }
}
