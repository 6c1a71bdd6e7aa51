// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Containers;
using OverlayBd.Format.Oci;
using Mount = OverlayBd.Cli.Containerd.Api.Types.Mount;

namespace OverlayBd.Cli.Containerd;

/// <summary>Runs a container of an image on a snapshot that records, and collects the trace.</summary>
internal sealed class TraceRecording(ContainerdConnection connection, TracedImage image, RecordOptions options)
{
    private readonly ContainerdContent _content = new(connection);
    private readonly ContainerdSnapshots _snapshots = new(connection, options.Snapshotter);

    /// <summary>Runs the container for its time and leaves the trace in the file.</summary>
    /// <param name="trace">The file, empty.</param>
    /// <param name="early">Completes when the recording is to end before its time.</param>
    /// <param name="cancellationToken">Abandons it all; nothing is left but the image's own snapshots.</param>
    public async Task RunAsync(TraceFile trace, Task early, CancellationToken cancellationToken)
    {
        IReadOnlyList<UnpackLayer> layers = UnpackLayer.Of(image.Manifest, image.Document, image.Name);
        await UnpackAsync(layers, cancellationToken);
        string id = Path.GetFileName(trace.Path);
        Dictionary<string, string> labels = new()
        {
            [SnapshotLabels.RecordTrace] = "yes",
            [SnapshotLabels.RecordTracePath] = trace.Path,
        };
        IReadOnlyList<Mount> root = await _snapshots.PrepareAsync(id, layers[^1].ChainId.ToString(), labels, cancellationToken)
            ?? throw new CommandException($"The snapshot {id} exists already.");
        try
        {
            trace.RequireRecording(image.Name);
            await RunAsync(id, root, trace, early, cancellationToken);
            Say("Collecting the trace");
            int records = await trace.CollectAsync(options.Time, cancellationToken);
            Say($"{records} reads recorded");
        }
        finally
        {
            await _snapshots.RemoveAsync(id);
        }
    }

    private async Task RunAsync(string id, IReadOnlyList<Mount> root, TraceFile trace, Task early, CancellationToken cancellationToken)
    {
        await using CniNetwork? network =
            options.NetworkPlugins is { } plugins ? await CniNetwork.CreateAsync(id, plugins, cancellationToken) : null;
        byte[] spec = ContainerSpec(id, root, network?.NamespacePath);
        await using RecordedContainer container =
            await RecordedContainer.CreateAsync(connection, id, image.Name, options, spec, cancellationToken);
        await using OutputRelay output = new(trace.OutputPath, Console.Error);
        Task<uint> exit = await container.StartAsync(root, trace.OutputPath, cancellationToken);
        Say($"The container runs for {options.Time.TotalSeconds} seconds at most");
        await Task.WhenAny(exit, early, Task.Delay(options.Time, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        if (exit.IsCompleted)
        {
            Say($"The process ended with {await exit}");
            return;
        }

        await container.StopAsync(exit, options.Time, cancellationToken);
    }

    /// <summary>Makes the image's snapshots where they are missing, of the blobs that containerd holds.</summary>
    private async Task UnpackAsync(IReadOnlyList<UnpackLayer> layers, CancellationToken cancellationToken)
    {
        Dictionary<string, string> labels = new() { [SnapshotLabels.ImageReference] = image.Name };
        LayerUnpacker unpacker = new(_content, _snapshots, labels);
        await unpacker.UnpackAsync(layers, image.Manifest.Config, RequireAsync, (_, _) => { }, cancellationToken);
    }

    private async Task RequireAsync(UnpackLayer layer, CancellationToken cancellationToken)
    {
        await using Stream blob = await _content.OpenAsync(layer.Descriptor, cancellationToken); // says what is missing
    }

    private byte[] ContainerSpec(string id, IReadOnlyList<Mount> root, string? networkNamespace)
    {
        ContainerConfig config = options.Command.Count == 0 ? image.Document.Config : image.Document.Config with { Entrypoint = null };
        ContainerRequest request = new() { Command = options.Command };
        ContainerProcess process = ContainerProcess.Compose(config, request, SnapshotUsers.Read(config.User, root));
        using MemoryStream json = new();
        RuntimeSpec.Write(json, process, [], id, networkNamespace);
        return json.ToArray();
    }

    private static void Say(string text) => Console.Error.WriteLine(text + ".");
}
