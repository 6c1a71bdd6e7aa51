// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containerd;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd rpull</c>: an image into containerd, whose overlaybd layers stay in the registry until they are read.</summary>
internal static class RPullCommand
{
    private static readonly TimeSpan s_leaseLifetime = TimeSpan.FromHours(24);

    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image in a registry" };
    private static readonly Option<string> s_snapshotter = SnapshotterOption.Create();
    private static readonly Option<Dictionary<string, string>> s_labels = new("--label")
    {
        Description = "KEY=VALUE, a label of the image",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = LabelArgument.Parse,
    };

    private static readonly Option<bool> s_download = new("--download-blobs")
    {
        Description = "fetch the layers too, so that the registry is not needed later",
    };

    private static readonly Option<bool> s_remote = new("--rpull")
    {
        Description = "false: an ordinary pull, which fetches and unpacks every layer",
        DefaultValueFactory = _ => true,
    };

    private static readonly Option<string?> s_platform = new("--platform") { Description = "OS/ARCH[/VARIANT] instead of this machine's" };

    public static Command Create()
    {
        Command command = new("rpull", "Pulls an image into containerd without its overlaybd layers, and prints its digest.")
        {
            s_image, s_snapshotter, s_labels, s_download, s_remote, s_platform,
        };
        ContainerdOptions.AddTo(command);
        PullRegistryOptions.AddTo(command);
        command.OnInvoke((parsed, cancellationToken) => ContainerdOptions.RunAsync(
            parsed, (connection, token) => InvokeAsync(parsed, connection, token), cancellationToken));
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, ContainerdConnection connection, CancellationToken cancellationToken)
    {
        Platform? platform = null;
        if (parsed.GetValue(s_platform) is { } text && !PlatformText.TryParse(text, out platform))
        {
            throw new UsageException($"--platform: {text} is not OS/ARCH[/VARIANT].");
        }

        (string name, ImageReference reference) = PullName.Parse(parsed.GetRequiredValue(s_image));
        PullOptions options = new()
        {
            Snapshotter = parsed.GetRequiredValue(s_snapshotter),
            Remote = parsed.GetValue(s_remote),
            DownloadBlobs = parsed.GetValue(s_download),
            Labels = parsed.GetValue(s_labels) ?? [],
            Platform = platform,
        };
        using CertificateFolder? certificates = PullRegistryOptions.Certificates(parsed);
        using ILoggerFactory loggers = TerminalLogger.For(PullRegistryOptions.IsVerbose(parsed));
        using RegistryClient client = new(PullRegistryOptions.Bind(parsed, certificates), loggers);
        await using ImageRepository source = client.GetRepository(reference);
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        await using ContainerdLease lease = await ContainerdLease.CreateAsync(connection, "rpull", s_leaseLifetime, cancellationToken);
        Descriptor image = await new ImagePuller(connection, source, reference, name).PullAsync(options, display, cancellationToken);
        Console.WriteLine(image.Digest);
    }
}
