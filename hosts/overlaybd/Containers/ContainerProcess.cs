// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containers;

/// <summary>The process of a container: what the image says, and what the caller said instead.</summary>
internal sealed record ContainerProcess
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public required IReadOnlyList<string> Arguments { get; init; }

    public required IReadOnlyList<string> Environment { get; init; }

    public required string WorkingDirectory { get; init; }

    public required ContainerUser User { get; init; }

    public required bool Terminal { get; init; }

    /// <summary>Composes the process. A command of the caller replaces the image's command, and is given to its entry point.</summary>
    public static ContainerProcess Compose(ContainerConfig image, ContainerRequest request, UserDatabase users)
    {
        IReadOnlyList<string> command = request.Command.Count > 0 ? request.Command : image.Cmd ?? [];
        string[] arguments = [.. image.Entrypoint ?? [], .. command];
        if (arguments.Length == 0)
        {
            throw new CommandException("The image names no command.", "overlaybd run IMAGE -- COMMAND.");
        }

        ContainerUser user = users.Resolve(request.User ?? image.User);
        return new()
        {
            Arguments = arguments,
            Environment = Merge([DefaultPath, "HOME=" + (user.Home ?? "/")], image.Env ?? [], request.Environment),
            WorkingDirectory = image.WorkingDir is { Length: > 0 } directory ? directory : "/",
            User = user,
            Terminal = request.Terminal,
        };
    }

    /// <summary>Later lists win; a name without <c>=</c> takes the value it has here.</summary>
    private static List<string> Merge(params IReadOnlyList<string>[] lists)
    {
        List<string> merged = [];
        foreach (string item in lists.SelectMany(list => list))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? item : item[..equals];
            string? value = equals < 0 ? System.Environment.GetEnvironmentVariable(name) : item[(equals + 1)..];
            merged.RemoveAll(other => other.StartsWith(name + '=', StringComparison.Ordinal));
            if (value is not null)
            {
                merged.Add($"{name}={value}");
            }
        }

        return merged;
    }
}
