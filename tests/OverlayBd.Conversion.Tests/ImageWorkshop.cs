// SPDX-License-Identifier: Apache-2.0

using System.IO.Compression;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;
using OverlayBd.Testing.Tar;

namespace OverlayBd.Conversion.Tests;

/// <summary>A registry that can fail, images of small layers in it, and a place for the work files of converting them.</summary>
public sealed class ImageWorkshop : IAsyncDisposable
{
    internal const string Source = "team/original";
    internal const string Target = "team/converted";

    private readonly TempDirectory _directory = new();

    private ImageWorkshop(FaultyRegistry registry)
    {
        Registry = registry;
        Client = new RegistryClient(new RegistryClientOptions { MaxAttempts = 2, RetryDelay = TimeSpan.FromMilliseconds(1) });
        Directory.CreateDirectory(WorkDirectory);
    }

    internal FaultyRegistry Registry { get; }

    internal RegistryClient Client { get; }

    internal string WorkDirectory => _directory["work"];

    internal string this[string name] => _directory[name];

    internal static async Task<ImageWorkshop> StartAsync() => new(await FaultyRegistry.StartAsync());

    internal static byte[] Tar(int number) => TarBuilder.Build(
        TarFormat.Pax,
        TarItem.Directory("directory/"),
        TarItem.File($"directory/file-{number}", $"content {number}"),
        TarItem.File("directory/all", $"last written by {number}"));

    internal static byte[] Gzip(byte[] content)
    {
        var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return output.ToArray();
    }

    /// <summary>An image of so many layers, tagged unless <paramref name="tag"/> is null; the arguments falsify it.</summary>
    internal Descriptor AddImage(
        int layers,
        string? tag = "v1",
        Func<Manifest, Manifest>? changeManifest = null,
        Func<IReadOnlyList<Digest>, IReadOnlyList<Digest>>? changeDiffIds = null,
        Func<int, byte[], byte[]>? changeBlob = null)
    {
        byte[][] tars = [.. Enumerable.Range(0, layers).Select(Tar)];
        Descriptor[] blobs = [.. tars.Select((tar, i) => Registry.AddBlob(
            Source, changeBlob?.Invoke(i, Gzip(tar)) ?? Gzip(tar), MediaTypes.OciLayerGzip))];
        IReadOnlyList<Digest> diffIds = [.. tars.Select(tar => Digest.Sha256(tar))];
        var document = new ImageDocument
        {
            Os = "linux",
            Architecture = "amd64",
            RootFs = new RootFs { Type = "layers", DiffIds = changeDiffIds?.Invoke(diffIds) ?? diffIds },
        };
        var manifest = new Manifest
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciManifest,
            Config = Registry.AddBlob(Source, OciJson.Write(document), MediaTypes.OciConfig),
            Layers = blobs,
        };
        return Registry.AddManifest(Source, tag, OciJson.Write(changeManifest?.Invoke(manifest) ?? manifest));
    }

    internal Task<ConversionResult> ConvertAsync(
        ImageConverterOptions? options = null, IProgress<ConversionProgress>? progress = null, CancellationToken cancellationToken = default) =>
        ConvertAsync($"docker://{Registry.Host}/{Source}", "v1", options, progress, cancellationToken);

    internal async Task<ConversionResult> ConvertAsync(
        string source,
        string tag,
        ImageConverterOptions? options = null,
        IProgress<ConversionProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options ??= new ImageConverterOptions();
        options.WorkDirectory = WorkDirectory;
        options.VirtualSize = 64 << 20;
        options.Workers = 1;
        await using ImageRepository from = ImageLocation.Parse(source).Open(Client);
        await using ImageRepository to = ImageLocation.Parse($"docker://{Registry.Host}/{Target}").Open(Client);
        return await ImageConverter.ConvertAsync(from, tag, to, "obd", options, progress, cancellationToken);
    }

    /// <summary>Converts what cannot be converted, checks that nothing of the try is left, and returns why.</summary>
    internal async Task<T> ConvertInVainAsync<T>(ImageConverterOptions? options = null)
        where T : Exception
    {
        T error = await Assert.ThrowsAnyAsync<T>(() => ConvertAsync(options));
        AssertNothingIsLeft();
        return error;
    }

    internal void AssertNothingIsLeft()
    {
        Assert.Null(Registry.GetManifest(Target, "obd"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(WorkDirectory));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Registry.DisposeAsync();
        _directory.Dispose();
    }
}
