// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Inspection;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd verify</c>: whether every byte is what it should be.</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image or layer file" };

    public static Command Create()
    {
        Command command = new("verify", "Checks every digest and every block; tells the first bad offset.") { s_image };
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        using ProgressDisplay display = ProgressDisplay.OnStandardError();
        switch (image.Kind)
        {
            case ImageArgumentKind.LayerFile:
                await LayerVerifier.VerifyAsync(FileBlockSource.Open(image.Text), image.Text, display, cancellationToken);
                break;
            case ImageArgumentKind.Image:
                await VerifyImageAsync(parsed, image, display, cancellationToken);
                break;
            default:
                throw new UsageException("verify takes an image or a layer file.");
        }
    }

    private static async Task VerifyImageAsync(
        ParseResult parsed, ImageArgument image, ProgressDisplay display, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = OpenedRepository.Open(parsed, image.Text);
        (_, Manifest manifest) = await opened.FindManifestAsync(platform: null, cancellationToken);
        _ = await opened.Repository.GetImageDocumentAsync(manifest, cancellationToken);
        foreach (Descriptor layer in manifest.Layers)
        {
            await LayerVerifier.VerifyAsync(opened.Repository, layer, display, cancellationToken);
        }
    }
}
