// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containerd;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd record-trace</c>: an image with a layer on top that says what to prefetch.</summary>
internal static class RecordTraceCommand
{
    private const int DefaultSeconds = 60;

    // Upstream's default is a fixed name in /tmp, where anybody may have put something else.
    private const string WorkFolder = "record-trace";

    // Beside running for its time, a recording may take as long to end the container and to write the trace, and to unpack before that.
    private const int LeaseFactor = 3;
    private static readonly TimeSpan s_leaseReserve = TimeSpan.FromHours(1);

    private static readonly Argument<string> s_source = new("OLD-IMAGE") { Description = "overlaybd image of containerd" };
    private static readonly Argument<string> s_target = new("NEW-IMAGE") { Description = "name of the image with the acceleration layer" };
    private static readonly Argument<string[]> s_command = new("COMMAND")
    {
        Description = "behind --: the command instead of the image's",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<int> s_time = new("--time")
    {
        Description = "how long the container runs",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => DefaultSeconds,
    };

    private static readonly Option<FileInfo?> s_list = new("--priority_list", "--priority-list")
    {
        Description = "the files to prefetch, one path a line, instead of a recording",
        HelpName = "FILE",
    };

    private static readonly Option<string?> s_workDirectory = new("--working-dir")
    {
        Description = $"where the backstore writes the trace before it becomes a layer (RUN-DIR/{WorkFolder})",
        HelpName = "DIR",
    };

    private static readonly Option<string> s_snapshotter = SnapshotterOption.Create();
    private static readonly Option<string> s_runtime = new("--runtime")
    {
        Description = "containerd's runtime",
        DefaultValueFactory = _ => "io.containerd.runc.v2",
    };

    private static readonly Option<int> s_downloads = new("--max-concurrent-downloads")
    {
        Description = "without effect: nothing is fetched",
    };

    private static readonly Option<bool> s_hostNetwork = new("--disable-network-isolation")
    {
        Description = "run on the network of the machine",
    };

    private static readonly Option<string> s_plugins = new("--cni-plugin-dir")
    {
        Description = "network plugins (CNI)",
        HelpName = "DIR",
        DefaultValueFactory = _ => "/opt/cni/bin/",
    };

    public static Command Create(Interruption interruption)
    {
        Command command = new("record-trace", "Records what a container reads as it starts, and makes an image that prefetches it.")
        {
            s_source, s_target, s_command, s_time, s_list, s_workDirectory, s_snapshotter, s_runtime, s_downloads, s_hostNetwork, s_plugins,
        };
        ContainerdOptions.AddTo(command);
        command.OnInvoke((parsed, cancellationToken) =>
        {
            Check(parsed);
            return ContainerdOptions.RunAsync(
                parsed, (connection, token) => InvokeAsync(parsed, connection, interruption, token), cancellationToken);
        });
        return command;
    }

    private static async Task InvokeAsync(
        ParseResult parsed, ContainerdConnection connection, Interruption interruption, CancellationToken cancellationToken)
    {
        string target = parsed.GetRequiredValue(s_target);
        TimeSpan time = TimeSpan.FromSeconds(parsed.GetValue(s_time));
        if (await new ContainerdImages(connection).FindAsync(target, cancellationToken) is not null)
        {
            throw new CommandException($"containerd has an image {target} already.", "another name, or ctr images rm.");
        }

        await using ContainerdLease lease =
            await ContainerdLease.CreateAsync(connection, "record-trace", (time * LeaseFactor) + s_leaseReserve, cancellationToken);
        TracedImage image = await TracedImage.OpenAsync(connection, parsed.GetRequiredValue(s_source), null, cancellationToken);
        using TraceFile trace = TraceFile.Create(
            parsed.GetValue(s_workDirectory) ?? Path.Combine(parsed.GetRunDirectory().Path, WorkFolder));
        if (parsed.GetValue(s_list) is { } list)
        {
            File.Copy(list.FullName, trace.Path, overwrite: true);
        }
        else
        {
            await RecordAsync(parsed, new(connection, image, Bind(parsed, time)), trace, interruption, cancellationToken);
        }

        Descriptor made = await new AccelerationLayer(connection).AddAsync(image, target, trace.Path, cancellationToken);
        await Console.Error.WriteLineAsync($"New image {target} is created.");
        Console.WriteLine(made.Digest);
    }

    /// <summary>Records; the first signal ends the recording and keeps it, a second one gives it up.</summary>
    private static async Task RecordAsync(
        ParseResult parsed, TraceRecording recording, TraceFile trace, Interruption interruption, CancellationToken cancellationToken)
    {
        TaskCompletionSource early = new(TaskCreationOptions.RunContinuationsAsynchronously);
        interruption.Receiver = _ =>
        {
            interruption.Receiver = null;
            early.TrySetResult();
        };
        try
        {
            await recording.RunAsync(trace, early.Task, cancellationToken);
        }
        finally
        {
            interruption.Receiver = null;
        }
    }

    private static RecordOptions Bind(ParseResult parsed, TimeSpan time) => new()
    {
        Time = time,
        Snapshotter = parsed.GetRequiredValue(s_snapshotter),
        Runtime = parsed.GetRequiredValue(s_runtime),
        Command = parsed.GetValue(s_command) ?? [],
        NetworkPlugins = parsed.GetValue(s_hostNetwork) ? null : parsed.GetRequiredValue(s_plugins),
    };

    private static void Check(ParseResult parsed)
    {
        if (parsed.GetValue(s_time) <= 0)
        {
            throw new UsageException("--time: a recording takes a second at least.");
        }

        if (parsed.GetValue(s_list) is not { } list)
        {
            return;
        }

        if (parsed.GetValue(s_command) is { Length: > 0 })
        {
            throw new UsageException("--priority_list: no command is run when the files are given.");
        }

        if (list is not { Exists: true, Length: > 0 })
        {
            throw new UsageException($"--priority_list: {list.FullName} is not a file that holds paths.");
        }
    }
}
