// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containers;
using OverlayBd.Cli.Serving;
using OverlayBd.ControlApi;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd run</c>: an image's process in a container, on a root that is fetched as it is read.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> s_image = new("IMAGE") { Description = "image, named with its registry or as oci:DIR[:TAG]" };

    private static readonly Argument<string[]> s_command = new("COMMAND")
    {
        Description = "behind --: the command instead of the image's",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string[]> s_environment = new("--env", "-e") { Description = "NAME=VALUE, or NAME to pass it on" };
    private static readonly Option<ContainerMount[]> s_mounts = new("--mount")
    {
        Description = "type=bind,source=DIR,target=DIR[,readonly]",
        CustomParser = ParseMounts,
    };

    private static readonly Option<string?> s_user = new("--user", "-u") { Description = "USER[:GROUP] instead of the image's" };
    private static readonly Option<DirectoryInfo?> s_bundle = new("--bundle-only")
    {
        Description = "make the bundle in DIR for another runtime, and end; `overlaybd umount DIR` undoes it",
        HelpName = "DIR",
    };

    public static Command Create(Interruption interruption)
    {
        Command command = new("run", "Runs an image's process in a container; the exit status is the process's.")
        {
            s_image, s_command, s_environment, s_mounts, s_user, s_bundle,
        };
        RegistryOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => InvokeAsync(parsed, interruption, cancellationToken));
        return command;
    }

    private static async Task<int> InvokeAsync(ParseResult parsed, Interruption interruption, CancellationToken cancellationToken)
    {
        ImageArgument image = ImageArgument.Parse(parsed.GetRequiredValue(s_image));
        if (image.Kind != ImageArgumentKind.Image)
        {
            throw new UsageException($"{image} does not say what to run; only an image does.");
        }

        ServingOptions serving = ServingOptions.Bind(parsed);
        RunDirectory run = serving.RunDirectory;
        bool bundleOnly = parsed.GetValue(s_bundle) is not null;
        Runc? runc = bundleOnly ? null : Runc.Locate(run);
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        string bundle = parsed.GetValue(s_bundle)?.FullName ?? run.Bundle(id);

        // The server starts while the image's document is fetched.
        using CancellationTokenSource failure = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<ContainerConfig> document = ReadConfigAsync(parsed, image, failure.Token);
        Task<ServedDevice> attach = ServedDevice.AttachAsync(image.ToRequest(RegistryOptions.Bind(parsed)), serving, failure.Token);
        ServedDevice? device = null;
        bool keeps = false;
        try
        {
            ContainerConfig config = await document;
            device = await attach;
            cancellationToken.ThrowIfCancellationRequested();
            Directory.CreateDirectory(bundle);
            string root = ContainerRoot.Mount(device, bundle);
            ContainerRequest request = Bind(parsed);
            ContainerProcess process = ContainerProcess.Compose(config, request, UserDatabase.Read(root));
            RuntimeSpec.Write(Path.Combine(bundle, ContainerRoot.SpecFile), process, request.Mounts, id);
            cancellationToken.ThrowIfCancellationRequested();
            if (runc is null)
            {
                Console.WriteLine(bundle);
                keeps = true;
                return 0;
            }

            return await runc.RunAsync(id, bundle, interruption);
        }
        finally
        {
            if (!keeps)
            {
                await failure.CancelAsync();
                device ??= await FinishAsync(attach);
                await UndoAsync(runc, id, bundle, device);
            }
        }
    }

    private static ContainerRequest Bind(ParseResult parsed) => new()
    {
        Command = parsed.GetValue(s_command) ?? [],
        Environment = parsed.GetValue(s_environment) ?? [],
        Mounts = parsed.GetValue(s_mounts) ?? [],
        User = parsed.GetValue(s_user),
        Terminal = !Console.IsInputRedirected && !Console.IsOutputRedirected && parsed.GetValue(s_bundle) is null,
    };

    private static async Task<ContainerConfig> ReadConfigAsync(ParseResult parsed, ImageArgument image, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = OpenedRepository.Open(parsed, image.Text);
        (_, Manifest manifest) = await opened.FindManifestAsync(platform: null, cancellationToken);
        return (await opened.Repository.GetImageDocumentAsync(manifest, cancellationToken)).Config;
    }

    /// <summary>An attach that was abandoned may have succeeded all the same.</summary>
    private static async Task<ServedDevice?> FinishAsync(Task<ServedDevice> attach)
    {
        await ((Task)attach).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return attach.IsCompletedSuccessfully ? attach.Result : null;
    }

    private static async Task UndoAsync(Runc? runc, string id, string bundle, ServedDevice? device)
    {
        if (runc is not null)
        {
            await runc.DeleteAsync(id);
        }

        if (Directory.Exists(bundle))
        {
            ContainerRoot.Unmount(bundle);
            ContainerRoot.Remove(bundle);
        }

        if (device is not null)
        {
            await device.DetachAsync();
        }
    }

    private static ContainerMount[]? ParseMounts(ArgumentResult result)
    {
        List<ContainerMount> mounts = [];
        foreach (Token token in result.Tokens)
        {
            if (!ContainerMount.TryParse(token.Value, out ContainerMount? mount, out string? fault))
            {
                result.AddError(fault!);
                return null;
            }

            mounts.Add(mount!);
        }

        return [.. mounts];
    }
}
