// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Export;
using OverlayBd.Cli.Terminal;
using OverlayBd.Images;
using OverlayBd.Registries;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd pull</c>: an image's blocks into the local cache, before anything reads them.</summary>
internal static class PullCommand
{
    private const long StepSize = 64 << 20;
    private const int ParallelSteps = 4;

    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image or device configuration" };

    public static Command Create()
    {
        Command command = new("pull", "Fills the local cache with an image's blocks.") { s_image };
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument argument = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        TerminalLogger loggers = TerminalLogger.For(parsed.GetValue(CommonOptions.Verbose));
        await using BlockCache cache = await CacheDirectories.OpenFirstFreeAsync(
            parsed.GetCacheDirectory(), CacheDirectories.DefaultCapacity, BlockCacheOptions.DefaultUnitSize, observer: null, loggers, cancellationToken);
        await using OpenedDisk disk = await OpenedDisk.OpenAsync(parsed, argument, cancellationToken, cache);
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        OverlayBdImage image = disk.Image;
        long done = 0;
        IEnumerable<long> steps = Enumerable.Range(0, (int)((image.Length + StepSize - 1) / StepSize)).Select(step => step * StepSize);
        ParallelOptions options = new() { MaxDegreeOfParallelism = ParallelSteps, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(steps, options, async (offset, token) =>
        {
            long length = Math.Min(StepSize, image.Length - offset);
            await image.PrefetchAsync(offset, length, token);
            display.Report(argument.Text, Interlocked.Add(ref done, length), image.Length, "fetching");
        });
        display.Finish(argument.Text, $"{ByteText.Format(cache.Statistics.BytesFetched)} fetched, {ByteText.Format(cache.Statistics.StoredBytes)} in the cache");
    }
}
