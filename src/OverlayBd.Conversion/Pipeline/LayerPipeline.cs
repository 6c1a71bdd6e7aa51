// SPDX-License-Identifier: Apache-2.0

using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Takes an image's layers through three stages that overlap: layer i is fetched while i-1 is built and i-2 uploaded.</summary>
/// <remarks>Each stage hands over through a channel of one, so that no stage runs far ahead of the next. The first failure
/// stops the others, and is the one that the caller sees. A pipeline runs once.</remarks>
internal sealed class LayerPipeline(
    LayerFetcher fetcher, LayerBuilder builder, LayerUploader uploader, IProgress<ConversionProgress>? progress)
{
    private readonly Channel<FetchedLayer> _fetched = Channel.CreateBounded<FetchedLayer>(1);
    private readonly Channel<BuiltLayer> _built = Channel.CreateBounded<BuiltLayer>(1);
    private ExceptionDispatchInfo? _firstFailure;

    /// <summary>Converts the layers; when it returns or throws, no stage is running any more.</summary>
    /// <returns>The block layers, in the same order, all of them uploaded.</returns>
    public async Task<IReadOnlyList<Descriptor>> RunAsync(IReadOnlyList<SourceLayer> layers, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var result = new Descriptor[layers.Count];
        await Task.WhenAll(
            StartStage(token => FetchAsync(layers, token), stop),
            StartStage(token => BuildAsync(layers.Count, result, token), stop),
            StartStage(token => UploadAsync(layers.Count, token), stop)).ConfigureAwait(false);

        // What a stage throws because it was stopped may be anything; the caller asked for the stop and is told just that.
        cancellationToken.ThrowIfCancellationRequested();
        _firstFailure?.Throw();
        return result;
    }

    /// <summary>Runs a stage off the caller's thread: stages compute, and must overlap even when all they await is at hand.</summary>
    private Task StartStage(Func<CancellationToken, Task> stage, CancellationTokenSource stop) => Task.Run(async () =>
    {
        try
        {
            await stage(stop.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _firstFailure, ExceptionDispatchInfo.Capture(failure), null);
            await stop.CancelAsync().ConfigureAwait(false);
        }
    });

    private async Task FetchAsync(IReadOnlyList<SourceLayer> layers, CancellationToken cancellationToken)
    {
        foreach (SourceLayer layer in layers)
        {
            IProgress<long>? stage = Progress(layer, layers.Count, ConversionStage.Fetch, layer.Descriptor.Size);
            FetchedLayer done = await fetcher.FetchAsync(layer, stage, cancellationToken).ConfigureAwait(false);
            await _fetched.Writer.WriteAsync(done, cancellationToken).ConfigureAwait(false);
        }

        _fetched.Writer.Complete();
    }

    private async Task BuildAsync(int count, Descriptor[] result, CancellationToken cancellationToken)
    {
        await foreach (FetchedLayer layer in _fetched.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            IProgress<long>? stage = Progress(layer.Source, count, ConversionStage.Build, layer.Source.Descriptor.Size);
            BuiltLayer done = await builder.BuildAsync(layer, stage, cancellationToken).ConfigureAwait(false);
            result[done.Source.Position] = done.Descriptor;
            await _built.Writer.WriteAsync(done, cancellationToken).ConfigureAwait(false);
        }

        _built.Writer.Complete();
    }

    private async Task UploadAsync(int count, CancellationToken cancellationToken)
    {
        await foreach (BuiltLayer layer in _built.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            IProgress<long>? stage = Progress(layer.Source, count, ConversionStage.Upload, layer.Descriptor.Size);
            await uploader.UploadAsync(layer, stage, cancellationToken).ConfigureAwait(false);
        }
    }

    private StageProgress? Progress(SourceLayer layer, int count, ConversionStage stage, long total) =>
        progress is null ? null : new StageProgress(progress, layer.Position, count, stage, total);
}
