// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Takes an image's layers through three stages that overlap: layer i is fetched while i-1 is built and i-2 uploaded.</summary>
/// <remarks>Each stage hands over through a channel of one, so that at most a few layers lie in work files however fast one
/// stage is. The first failure stops the others.</remarks>
internal sealed class LayerPipeline(
    LayerFetcher fetcher, LayerBuilder builder, LayerUploader uploader, IProgress<ConversionProgress>? progress)
{
    public async Task<IReadOnlyList<Descriptor>> RunAsync(IReadOnlyList<SourceLayer> layers, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var fetched = Channel.CreateBounded<FetchedLayer>(1);
        var built = Channel.CreateBounded<BuiltLayer>(1);
        var result = new Descriptor[layers.Count];

        Task fetching = StageAsync(fetched.Writer, async token =>
        {
            foreach (SourceLayer layer in layers)
            {
                IProgress<long>? stage = Progress(layer, layers.Count, ConversionStage.Fetch, layer.Descriptor.Size);
                FetchedLayer done = await fetcher.FetchAsync(layer, stage, token).ConfigureAwait(false);
                await fetched.Writer.WriteAsync(done, token).ConfigureAwait(false);
            }
        });
        Task building = StageAsync(built.Writer, async token =>
        {
            await foreach (FetchedLayer layer in fetched.Reader.ReadAllAsync(token).ConfigureAwait(false))
            {
                IProgress<long>? stage = Progress(layer.Source, layers.Count, ConversionStage.Build, layer.Source.Descriptor.Size);
                BuiltLayer done = await builder.BuildAsync(layer, stage, token).ConfigureAwait(false);
                result[done.Source.Position] = done.Descriptor;
                await built.Writer.WriteAsync(done, token).ConfigureAwait(false);
            }
        });
        Task uploading = StageAsync(null, async token =>
        {
            await foreach (BuiltLayer layer in built.Reader.ReadAllAsync(token).ConfigureAwait(false))
            {
                IProgress<long>? stage = Progress(layer.Source, layers.Count, ConversionStage.Upload, layer.Descriptor.Size);
                await uploader.UploadAsync(layer, stage, token).ConfigureAwait(false);
            }
        });

        await WhenAllOrFirstFailure(fetching, building, uploading).ConfigureAwait(false);
        return result;

        async Task StageAsync(object? output, Func<CancellationToken, Task> stage)
        {
            // Off the caller's thread: the stages compute, and must overlap even when everything they await is at hand.
            await Task.Yield();
            try
            {
                await stage(stop.Token).ConfigureAwait(false);
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                (output as ChannelWriter<FetchedLayer>)?.TryComplete();
                (output as ChannelWriter<BuiltLayer>)?.TryComplete();
            }
        }
    }

    /// <summary>Waits for all, then throws the failure that stopped the others, not the cancellations it caused.</summary>
    private static async Task WhenAllOrFirstFailure(params Task[] tasks)
    {
        Task all = Task.WhenAll(tasks);
        try
        {
            await all.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (all.Exception is not null)
        {
            Exception cause = all.Exception.InnerExceptions.FirstOrDefault(e => e is not OperationCanceledException) ?? all.Exception.InnerExceptions[0];
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }
    }

    private StageProgress? Progress(SourceLayer layer, int count, ConversionStage stage, long total) =>
        progress is null ? null : new StageProgress(progress, layer.Position, count, stage, total);
}
