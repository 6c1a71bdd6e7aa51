// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.Text.Json;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Inspection;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd inspect</c>: what an image or a layer file is made of.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image or layer file" };
    private static readonly Option<bool> s_index = new("--index") { Description = "of a file: every mapping of its index" };
    private static readonly Option<bool> s_jumpTable = new("--jump-table") { Description = "of a file: every compressed block" };

    public static Command Create()
    {
        Command command = new("inspect", "Tells what an image or a layer file is made of.") { s_image, CommonOptions.Json, s_index, s_jumpTable };
        RegistryOptions.AddTo(command);
        command.OnInvoke(InvokeAsync);
        return command;
    }

    private static Task InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        return image.Kind switch
        {
            ImageArgumentKind.LayerFile => InspectFileAsync(parsed, image.Text, cancellationToken),
            ImageArgumentKind.Image => InspectImageAsync(parsed, image.Text, cancellationToken),
            _ => throw new UsageException("inspect takes an image or a layer file."),
        };
    }

    private static async Task InspectFileAsync(ParseResult parsed, string path, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(s_index))
        {
            await LayerDump.WriteIndexAsync(path, Console.Out, cancellationToken);
            return;
        }

        if (parsed.GetValue(s_jumpTable))
        {
            await LayerDump.WriteJumpTableAsync(path, Console.Out, cancellationToken);
            return;
        }

        LayerReport report = await Inspector.InspectFileAsync(path, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, InspectionJson.Default.LayerReport));
        }
        else
        {
            ReportText.Write(report, Console.Out);
        }
    }

    private static async Task InspectImageAsync(ParseResult parsed, string image, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = OpenedRepository.Open(parsed, image);
        ImageReport report = await Inspector.InspectAsync(opened, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, InspectionJson.Default.ImageReport));
        }
        else
        {
            ReportText.Write(report, Console.Out);
        }
    }
}
