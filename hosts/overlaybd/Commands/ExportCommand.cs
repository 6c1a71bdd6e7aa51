// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Export;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd export</c>: an image as a raw disk, or its files as a tar.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image, device configuration or layer file" };
    private static readonly Argument<FileInfo> s_file = new("FILE") { Description = "what to write; replaced when it exists" };
    private static readonly Option<string> s_format = new("--format") { Description = "raw: the disk, sparse; tar: the files", DefaultValueFactory = _ => "raw" };

    public static Command Create()
    {
        s_format.AcceptOnlyFromAmong("raw", "tar");
        Command command = new("export", "Writes an image as one raw disk, or its files as one tar.") { s_image, s_file, s_format };
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static async Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        string file = parsed.GetRequiredValue(s_file).FullName;
        string unfinished = file + ".unfinished";
        try
        {
            if (parsed.GetRequiredValue(s_format) == "tar")
            {
                await TarExport.WriteAsync(parsed, image, unfinished, cancellationToken);
            }
            else
            {
                await RawExport.WriteAsync(parsed, image, unfinished, cancellationToken);
            }

            File.Move(unfinished, file, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
    }
}
