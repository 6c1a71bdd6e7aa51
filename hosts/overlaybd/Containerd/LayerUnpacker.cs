// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.DiffV1;
using OverlayBd.Cli.Containerd.Api.Types;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>Makes an image's layers snapshots, bottom first: the snapshotter provides them itself, or they come from their blobs.</summary>
internal sealed class LayerUnpacker(
    ContainerdContent content, ContainerdSnapshots snapshots, IReadOnlyDictionary<string, string> pullLabels)
{
    private const int MostTries = 3;

    private readonly Diff.DiffClient _differ = new(content.Connection.Channel);

    /// <summary>Makes the snapshots that are missing, and ties the top one to the image's config.</summary>
    /// <param name="layers">The layers, bottom first.</param>
    /// <param name="config">The image's config, in the content store.</param>
    /// <param name="fetch">Brings the blob of a layer into the content store.</param>
    /// <param name="report">Told what became of each layer.</param>
    /// <param name="cancellationToken">Stops; the snapshot under way is removed.</param>
    public async Task UnpackAsync(
        IReadOnlyList<UnpackLayer> layers,
        Descriptor config,
        Func<UnpackLayer, CancellationToken, Task> fetch,
        Action<UnpackLayer, UnpackOutcome> report,
        CancellationToken cancellationToken)
    {
        foreach (UnpackLayer layer in layers)
        {
            report(layer, await UnpackAsync(layer, fetch, cancellationToken));
        }

        Dictionary<string, string> labels = new() { [GcLabels.Snapshot(snapshots.Name)] = layers[^1].ChainId.ToString() };
        await content.LabelAsync(config.Digest, labels, cancellationToken);
    }

    private async Task<UnpackOutcome> UnpackAsync(
        UnpackLayer layer, Func<UnpackLayer, CancellationToken, Task> fetch, CancellationToken cancellationToken)
    {
        string chainId = layer.ChainId.ToString();
        if (await snapshots.ExistsAsync(chainId, cancellationToken))
        {
            return UnpackOutcome.WasThere;
        }

        Dictionary<string, string> labels = Labels(layer);
        string parent = layer.ParentChainId?.ToString() ?? "";
        for (int i = 1; i <= MostTries; i++)
        {
            string key = NewKey(layer);
            IReadOnlyList<Mount>? mounts = await snapshots.PrepareAsync(key, parent, labels, cancellationToken);
            if (mounts is not null)
            {
                return await FillAsync(layer, key, mounts, labels, fetch, cancellationToken);
            }

            // The snapshotter provides the layer itself, unless it is the key that another client had, by rare chance.
            if (await snapshots.ExistsAsync(chainId, cancellationToken))
            {
                return UnpackOutcome.Provided;
            }
        }

        throw new ContainerdException(
            $"{snapshots.Name} says that layer {layer.Position} ({layer.Descriptor.Digest}) exists already, but has no snapshot {chainId}.",
            StatusCode.NotFound,
            "the log of the snapshotter.");
    }

    private async Task<UnpackOutcome> FillAsync(
        UnpackLayer layer,
        string key,
        IReadOnlyList<Mount> mounts,
        Dictionary<string, string> labels,
        Func<UnpackLayer, CancellationToken, Task> fetch,
        CancellationToken cancellationToken)
    {
        bool isCommitted = false;
        try
        {
            await fetch(layer, cancellationToken);
            await ApplyAsync(layer, mounts, cancellationToken);
            await snapshots.CommitAsync(key, layer.ChainId.ToString(), labels, cancellationToken);
            isCommitted = true;
        }
        finally
        {
            if (!isCommitted)
            {
                await snapshots.RemoveAsync(key);
            }
        }

        Dictionary<string, string> verified = new() { [GcLabels.Uncompressed] = layer.DiffId.ToString() };
        await content.LabelAsync(layer.Descriptor.Digest, verified, cancellationToken);
        return UnpackOutcome.Unpacked;
    }

    private async Task ApplyAsync(UnpackLayer layer, IReadOnlyList<Mount> mounts, CancellationToken cancellationToken)
    {
        Descriptor blob = layer.Descriptor;
        ApplyRequest request = new()
        {
            Diff = new() { MediaType = blob.MediaType, Digest = blob.Digest.ToString(), Size = blob.Size },
            Mounts = { mounts },
        };
        ApplyResponse response = await content.Connection.CallAsync(
            $"unpack layer {layer.Position} ({blob.Digest})", options => _differ.ApplyAsync(request, options), cancellationToken);
        if (response.Applied?.Digest != layer.DiffId.ToString())
        {
            throw new InvalidDataException(
                $"Layer {layer.Position} ({blob.Digest}): its tar has the digest {response.Applied?.Digest}; "
                + $"the image's config says {layer.DiffId}.");
        }
    }

    private Dictionary<string, string> Labels(UnpackLayer layer)
    {
        Dictionary<string, string> labels = new(pullLabels);
        foreach ((string key, string value) in SnapshotLabels.FromAnnotations(layer.Descriptor))
        {
            labels[key] = value;
        }

        labels[SnapshotLabels.Target] = layer.ChainId.ToString();
        labels[SnapshotLabels.DiffId] = layer.DiffId.ToString();
        if (layer.ParentChainId is { } parent)
        {
            labels[SnapshotLabels.ParentChainId] = parent.ToString();
        }

        return labels;
    }

    /// <summary>A key as containerd's own clients form it: what looks at snapshots knows one of a pull by it.</summary>
    private static string NewKey(UnpackLayer layer)
    {
        long nanoseconds = DateTime.UtcNow.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
        string random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        return string.Create(CultureInfo.InvariantCulture, $"extract-{nanoseconds}-{random} {layer.ChainId}");
    }
}
