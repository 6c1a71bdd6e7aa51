// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Globalization;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containerd;
using OverlayBd.Cli.Containerd.Api.ImagesV1;
using OverlayBd.Cli.Terminal;
using OverlayBd.Conversion;
using OverlayBd.Format.Compression;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd obdconv</c>: an image that containerd holds as an overlaybd image that containerd holds.</summary>
internal static class ObdConvCommand
{
    // Upstream's hour is too short for a large image: what the lease held would be collected under the converter.
    private static readonly TimeSpan s_leaseLifetime = TimeSpan.FromHours(24);
    private static readonly int[] s_blockSizes = [4096, 8192, 16384, 32768, 65536];

    private static readonly Argument<string> s_source = new("SOURCE") { Description = "image of containerd, with all its content" };
    private static readonly Argument<string> s_target = new("TARGET") { Description = "name of the converted image" };
    private static readonly Option<string> s_fileSystem = new("--fstype")
    {
        Description = "file system on the disk",
        DefaultValueFactory = _ => "ext4",
    };

    private static readonly Option<string?> s_database = new("--dbstr")
    {
        Description = "refused: layers are not looked up in a database here",
    };

    private static readonly Option<string> s_algorithm = new("--algorithm")
    {
        Description = "compression",
        DefaultValueFactory = _ => "lz4",
    };

    private static readonly Option<int> s_blockSize = new("--bs")
    {
        Description = "KiB (4 to 64) or bytes that are compressed, fetched and checked together",
        DefaultValueFactory = _ => 4,
    };

    private static readonly Option<int> s_virtualSize = new("--vsize")
    {
        Description = "size of the virtual disk",
        HelpName = "GIB",
        DefaultValueFactory = _ => 64,
    };

    private static readonly Option<string?> s_platform = new("--platform") { Description = "OS/ARCH[/VARIANT] instead of this machine's" };

    public static Command Create()
    {
        s_algorithm.AcceptOnlyFromAmong("lz4", "zstd");
        Command command = new("obdconv", "Converts an image in containerd, and prints the digest of the result.")
        {
            s_source, s_target, s_fileSystem, s_database, s_algorithm, s_blockSize, s_virtualSize, s_platform,
        };
        ContainerdOptions.AddTo(command);
        command.OnInvoke((parsed, cancellationToken) =>
        {
            ImageConverterOptions options = Bind(parsed);
            return ContainerdOptions.RunAsync(
                parsed, (connection, token) => InvokeAsync(parsed, connection, options, token), cancellationToken);
        });
        return command;
    }

    private static async Task InvokeAsync(
        ParseResult parsed, ContainerdConnection connection, ImageConverterOptions options, CancellationToken cancellationToken)
    {
        ContainerdImages images = new(connection);
        await using ContainerdLease lease = await ContainerdLease.CreateAsync(connection, "obdconv", s_leaseLifetime, cancellationToken);
        Image source = await images.GetAsync(parsed.GetRequiredValue(s_source), cancellationToken);
        await using ContainerdRepository repository = new(new(connection), ContainerdImages.Target(source));
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        ConversionResult converted = await ImageConverter.ConvertAsync(
            repository, null, repository, null, options, new ConversionDisplay(display), cancellationToken);
        await images.StoreAsync(parsed.GetRequiredValue(s_target), converted.Target, source.Labels, cancellationToken);
        Console.WriteLine(converted.Target.Digest);
    }

    private static ImageConverterOptions Bind(ParseResult parsed)
    {
        if (!string.IsNullOrEmpty(parsed.GetValue(s_database)))
        {
            throw new UsageException("--dbstr: layers are not looked up in a database; each is converted, to the same digest every time.");
        }

        if (parsed.GetRequiredValue(s_fileSystem) is not "ext4" and string fileSystem)
        {
            throw new UsageException($"--fstype: '{fileSystem}' cannot be made; ext4 can, without further options.");
        }

        int size = parsed.GetValue(s_blockSize);
        int blockSize = size is > 0 and <= 64 ? size * 1024 : size;
        if (!s_blockSizes.Contains(blockSize))
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--bs: {size} is none of 4, 8, 16, 32, 64."));
        }

        Platform? platform = null;
        if (parsed.GetValue(s_platform) is { } text && !PlatformText.TryParse(text, out platform))
        {
            throw new UsageException($"--platform: {text} is not OS/ARCH[/VARIANT].");
        }

        return new()
        {
            Algorithm = parsed.GetRequiredValue(s_algorithm) == "zstd" ? CompressionAlgorithm.Zstd : CompressionAlgorithm.Lz4,
            BlockSize = blockSize,
            VirtualSize = (long)parsed.GetValue(s_virtualSize) << 30,
            Platform = platform,
        };
    }
}
