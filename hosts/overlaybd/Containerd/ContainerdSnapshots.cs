// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.SnapshotsV1;
using OverlayBd.Cli.Containerd.Api.Types;

namespace OverlayBd.Cli.Containerd;

/// <summary>One snapshotter of containerd.</summary>
internal sealed class ContainerdSnapshots(ContainerdConnection connection, string snapshotter)
{
    private static readonly TimeSpan s_removalTimeout = TimeSpan.FromSeconds(30);

    private readonly Snapshots.SnapshotsClient _client = new(connection.Channel);

    public string Name => snapshotter;

    /// <exception cref="ContainerdException">containerd has no such snapshotter, or does not answer.</exception>
    public async Task<bool> ExistsAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            StatSnapshotRequest request = new() { Snapshotter = snapshotter, Key = key };
            await connection.CallAsync(
                $"look up the snapshot {key} of {snapshotter}", options => _client.StatAsync(request, options), cancellationToken);
            return true;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Makes an active snapshot.</summary>
    /// <returns>Its mounts; null when the key, or what its label asks for, exists already.</returns>
    public async Task<IReadOnlyList<Mount>?> PrepareAsync(
        string key, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        PrepareSnapshotRequest request = new()
        {
            Snapshotter = snapshotter,
            Key = key,
            Parent = parent,
            Labels = { ContainerdContent.Copy(labels) },
        };
        try
        {
            PrepareSnapshotResponse response = await connection.CallAsync(
                $"prepare the snapshot {key} on {snapshotter}", options => _client.PrepareAsync(request, options), cancellationToken);
            return response.Mounts;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            return null;
        }
    }

    /// <summary>Makes an active snapshot a committed one, unless that exists already; then the active one goes.</summary>
    public async Task CommitAsync(string key, string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        CommitSnapshotRequest request = new()
        {
            Snapshotter = snapshotter,
            Name = name,
            Key = key,
            Labels = { ContainerdContent.Copy(labels) },
        };
        try
        {
            await connection.CallAsync(
                $"commit the snapshot {name} on {snapshotter}", options => _client.CommitAsync(request, options), cancellationToken);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            await RemoveAsync(key);
        }
    }

    /// <summary>Removes a snapshot that was made here, also when the verb was interrupted. A failure is told, no more.</summary>
    public async Task RemoveAsync(string key)
    {
        using CancellationTokenSource limit = new(s_removalTimeout);
        try
        {
            RemoveSnapshotRequest request = new() { Snapshotter = snapshotter, Key = key };
            await connection.CallAsync(
                $"remove the snapshot {key} of {snapshotter}", options => _client.RemoveAsync(request, options), limit.Token);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            // It is gone already.
        }
        catch (Exception e) when (e is ContainerdException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"The snapshot {key} of {snapshotter} stays until its lease ends: {e.Message}");
        }
    }
}
