// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using OverlayBd.Conversion.Applying;
using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;
using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Oci;
using OverlayBd.Format.Tar;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Turns original layers into block layers, bottom first: each one's file system continues the one below.</summary>
/// <remarks>A layer is built in a log-structured upper over the layers so far, then committed through ZFile and the tar
/// wrapper. Nothing but what changed against the layers below is in it.</remarks>
internal sealed class LayerBuilder : IAsyncDisposable
{
    private readonly ImageConverterOptions _options;
    private readonly string _workDirectory;
    private readonly bool _ociMediaTypes;
    private readonly List<LayerBlob> _lowers = [];

    public LayerBuilder(ImageConverterOptions options, string workDirectory, bool ociMediaTypes)
    {
        _options = options;
        _workDirectory = workDirectory;
        _ociMediaTypes = ociMediaTypes;
    }

    public async Task<BuiltLayer> BuildAsync(FetchedLayer fetched, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        SourceLayer source = fetched.Source;
        string data = WorkFile(source, "data");
        string index = WorkFile(source, "index");
        string commit = WorkFile(source, "commit");
        LsmtImage? lower = _lowers.Count == 0 ? null : LsmtImage.Stack([.. _lowers.Select(blob => blob.Layer)], leaveOpen: true);
        var upperOptions = new LsmtWritableOptions
        {
            VirtualSize = lower is null ? _options.VirtualSize : lower.Length,
            Uuid = source.Uuid,
            ParentUuid = source.ParentUuid,
        };
        LsmtWritableImage upper = await LsmtWritableImage.CreateAsync(data, index, upperOptions, lower, cancellationToken)
            .ConfigureAwait(false);
        await using (upper.ConfigureAwait(false))
        {
            await ApplyAsync(fetched, upper, format: lower is null, progress, cancellationToken).ConfigureAwait(false);
            await CommitAsync(source, upper, commit, cancellationToken).ConfigureAwait(false);
        }

        File.Delete(fetched.Path);
        File.Delete(data);
        File.Delete(index);
        _lowers.Add(await LayerBlob.OpenAsync(FileBlockSource.Open(commit), source.Name, cancellationToken).ConfigureAwait(false));
        return new BuiltLayer(source, await DescribeAsync(commit, cancellationToken).ConfigureAwait(false), commit);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LayerBlob lower in _lowers)
        {
            await lower.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task ApplyAsync(
        FetchedLayer fetched, LsmtWritableImage upper, bool format, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        if (format)
        {
            Ext4FileSystem.Format(upper);
        }

        var file = new FileStream(
            fetched.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var reported = new ProgressStream(file, progress);
        var tar = new DiffIdStream(LayerDecompression.Open(reported, fetched.Source.Name));
        await using (tar.ConfigureAwait(false))
        {
            using (Ext4FileSystem fileSystem = Ext4FileSystem.Open(upper))
            {
                var reader = new TarLayerReader(tar, fetched.Source.Name, leaveOpen: true);
                await using (reader.ConfigureAwait(false))
                {
                    await TarLayerApplier.ApplyAsync(reader, fileSystem, fetched.Source.Name, cancellationToken).ConfigureAwait(false);
                }

                fileSystem.Flush();
            }

            await tar.VerifyAsync(fetched.Source, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CommitAsync(SourceLayer source, LsmtWritableImage upper, string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, bufferSize: 128 * 1024);
        await using (file.ConfigureAwait(false))
        {
            var wrapper = new TarBlobWriter(file, leaveOpen: true);
            await using (wrapper.ConfigureAwait(false))
            {
                var writerOptions = new ZFileWriterOptions
                {
                    Algorithm = _options.Algorithm,
                    BlockSize = _options.BlockSize,
                    OverwriteHeader = true,
                    Workers = _options.Workers,
                };
                var zfile = new ZFileWriter(wrapper, writerOptions, leaveOpen: true);
                await using (zfile.ConfigureAwait(false))
                {
                    var commitOptions = new LsmtCommitOptions { Uuid = source.Uuid, ParentUuid = source.ParentUuid };
                    await upper.CommitAsync(zfile, commitOptions, cancellationToken).ConfigureAwait(false);
                    await zfile.CompleteAsync(cancellationToken).ConfigureAwait(false);
                }

                await wrapper.CompleteAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<Descriptor> DescribeAsync(string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false))
        {
            var digest = Digest.FromSha256(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
            return new Descriptor
            {
                MediaType = _ociMediaTypes ? MediaTypes.OciLayer : MediaTypes.DockerLayer,
                Digest = digest,
                Size = file.Length,
                Annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
                {
                    [OverlayBdAnnotations.BlobDigest] = digest.ToString(),
                    [OverlayBdAnnotations.BlobSize] = file.Length.ToString(CultureInfo.InvariantCulture),
                    [OverlayBdAnnotations.Version] = OverlayBdAnnotations.NativeVersion,
                },
            };
        }
    }

    private string WorkFile(SourceLayer layer, string kind) => Path.Combine(_workDirectory, $"{layer.Position:D4}.{kind}");
}
