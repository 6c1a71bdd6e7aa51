// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Terminal;
using OverlayBd.Conversion;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd convert</c>: an OCI or docker image as an overlaybd image.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> s_source = new("SOURCE") { Description = "image to convert" };
    private static readonly Argument<string> s_target = new("TARGET") { Description = "name of the converted image" };
    private static readonly Option<string> s_algorithm = new("--algorithm") { Description = "compression", DefaultValueFactory = _ => "lz4" };
    private static readonly Option<int> s_blockSize = new("--block-size")
    {
        Description = "bytes that are compressed, fetched and checked together",
        DefaultValueFactory = _ => 4096,
    };

    private static readonly Option<int> s_virtualSize = new("--vsize")
    {
        Description = "size of the virtual disk",
        HelpName = "GIB",
        DefaultValueFactory = _ => 64,
    };

    private static readonly Option<string> s_fileSystem = new("--fs") { Description = "file system on the disk", DefaultValueFactory = _ => "ext4" };
    private static readonly Option<string?> s_platform = new("--platform") { Description = "OS/ARCH[/VARIANT] instead of this machine's" };
    private static readonly Option<bool> s_allPlatforms = new("--all-platforms") { Description = "convert every image of an index, into an index" };
    private static readonly Option<int> s_jobs = new("--jobs", "-j")
    {
        Description = "threads that compress",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    public static Command Create()
    {
        s_algorithm.AcceptOnlyFromAmong("lz4", "zstd");
        s_fileSystem.AcceptOnlyFromAmong("ext4");
        s_blockSize.AcceptOnlyFromAmong("4096", "8192", "16384", "32768", "65536");
        Command command = new("convert", "Converts an image, and prints the digest of the result.")
        {
            s_source, s_target, s_algorithm, s_blockSize, s_virtualSize, s_fileSystem, s_platform, s_allPlatforms, s_jobs,
        };
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        Platform? platform = null;
        if (parsed.GetValue(s_platform) is { } text && !PlatformText.TryParse(text, out platform))
        {
            throw new UsageException($"--platform: {text} is not OS/ARCH[/VARIANT].");
        }

        await using OpenedRepository source = OpenedRepository.Open(parsed, parsed.GetRequiredValue(s_source));
        await using OpenedRepository target = OpenedRepository.Open(parsed, parsed.GetRequiredValue(s_target));
        ImageConverterOptions options = new()
        {
            Algorithm = parsed.GetRequiredValue(s_algorithm) == "zstd" ? CompressionAlgorithm.Zstd : CompressionAlgorithm.Lz4,
            BlockSize = parsed.GetValue(s_blockSize),
            VirtualSize = (long)parsed.GetValue(s_virtualSize) << 30,
            Platform = platform,
            AllPlatforms = parsed.GetValue(s_allPlatforms),
            Workers = parsed.GetValue(s_jobs),
        };
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        ConversionResult converted = await ImageConverter.ConvertAsync(
            source.Repository,
            source.Location.TagOrDigest,
            target.Repository,
            target.Location.TagOrDigest,
            options,
            new ConversionDisplay(display),
            cancellationToken);
        await target.Repository.CompleteAsync(cancellationToken);
        Console.WriteLine(converted.Target.Digest);
    }
}
