// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Snapshotter.Labels;
using OverlayBd.Snapshotter.Layout;
using OverlayBd.Snapshotter.Metadata;

namespace OverlayBd.Snapshotter.Storage;

/// <summary>The device configs: each layer's is its parent's with the layer on top.</summary>
internal sealed class DeviceConfigs(SnapshotLayout layout, OverlayBdSnapshotterOptions options)
{
    private const int DefaultSizeInGiB = 64;

    /// <summary>The config of a snapshot; null when it is not one of block layers.</summary>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    public static async Task<DeviceConfig?> FindAsync(SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        try
        {
            return await DeviceConfig.LoadAsync(directory.Config, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Writes the config of a layer that its registry serves.</summary>
    public async Task WriteRemoteAsync(
        SnapshotDirectory directory, SnapshotRecord? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        DeviceConfig below = await BaseAsync(directory, parent, cancellationToken).ConfigureAwait(false);
        LowerConfig layer = new()
        {
            Digest = Digest.Parse(labels[SnapshotLabels.BlobDigest]),
            Size = long.Parse(labels[SnapshotLabels.BlobSize], NumberStyles.None, CultureInfo.InvariantCulture),
            Directory = directory.Files,
        };
        DeviceConfig config = below with
        {
            RepoBlobUrl = RegistryUrl.BlobsOf(labels.FindImageReference()!, options.Registries),
            Lowers = [.. below.Lowers, layer],
        };
        await SaveAsync(config, directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the config of a layer whose file is in its directory, or will be: a block layer, or a trace on top of all.</summary>
    public async Task WriteLocalAsync(
        SnapshotDirectory directory, SnapshotRecord? parent, bool isAcceleration, CancellationToken cancellationToken)
    {
        DeviceConfig below = await BaseAsync(directory, parent, cancellationToken).ConfigureAwait(false);
        DeviceConfig config = below with
        {
            Lowers = [.. below.Lowers, new LowerConfig { Directory = directory.Files }],
            AccelerationLayer = isAcceleration,
        };
        await SaveAsync(config, directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the config of a container with a writable layer of its own, and makes that layer.</summary>
    public async Task WriteWritableAsync(
        SnapshotDirectory directory, SnapshotRecord? parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        DeviceConfig below = await BaseAsync(directory, parent, cancellationToken).ConfigureAwait(false);
        SnapshotLayout.CreateBlock(directory);
        string place = labels.Find(SnapshotLabels.UpperDirectory) ?? directory.Block;
        Directory.CreateDirectory(place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string? size = labels.Find(SnapshotLabels.VirtualSize);
        UpperConfig upper = new()
        {
            Data = Path.Combine(place, Path.GetFileName(directory.UpperData)),
            Index = Path.Combine(place, Path.GetFileName(directory.UpperIndex)),
            VirtualSizeInGiB = parent is not null ? 0 : size is null ? DefaultSizeInGiB : int.Parse(size, CultureInfo.InvariantCulture),
        };
        await WritableLayer.CreateAsync(upper, options.WritableLayer, upper.VirtualSizeInGiB, cancellationToken).ConfigureAwait(false);
        DeviceConfig config = below with
        {
            Upper = upper,
            AccelerationLayer = parent?.Labels.IsAccelerationLayer() ?? false,
            RecordTracePath = labels.FindTracePath(),
        };
        await SaveAsync(config, directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sets what an image's shared device does besides serving: replaying its acceleration layer, recording or replaying a trace.</summary>
    public async Task SetTraceAsync(SnapshotRecord image, string? tracePath, CancellationToken cancellationToken)
    {
        SnapshotDirectory directory = layout[image.Id];
        DeviceConfig? config = await FindAsync(directory, cancellationToken).ConfigureAwait(false);
        bool isAcceleration = image.Labels.IsAccelerationLayer();
        string? path = isAcceleration ? null : tracePath;
        if (config is not null && (config.AccelerationLayer != isAcceleration || config.RecordTracePath != path))
        {
            await SaveAsync(config with { AccelerationLayer = isAcceleration, RecordTracePath = path }, directory, cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private static Task SaveAsync(DeviceConfig config, SnapshotDirectory directory, CancellationToken cancellationToken)
    {
        SnapshotLayout.CreateBlock(directory);
        return config.SaveAsync(directory.Config, cancellationToken);
    }

    /// <summary>What the layers below give to a config.</summary>
    private async Task<DeviceConfig> BaseAsync(SnapshotDirectory directory, SnapshotRecord? parent, CancellationToken cancellationToken)
    {
        DeviceConfig empty = new() { ResultFile = directory.ResultFile };
        if (parent is null)
        {
            return empty;
        }

        DeviceConfig config = await FindAsync(layout[parent.Id], cancellationToken).ConfigureAwait(false)
            ?? throw SnapshotException.Precondition(
                $"snapshot {SnapshotException.Printable(parent.Name)} is an ordinary layer; an overlaybd layer cannot stand on it");
        return empty with { RepoBlobUrl = config.RepoBlobUrl, Lowers = config.Lowers };
    }
}
