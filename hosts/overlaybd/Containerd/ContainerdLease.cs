// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.LeasesV1;

namespace OverlayBd.Cli.Containerd;

/// <summary>Keeps what a verb makes from being collected until its image record refers to it. It ends with this object.</summary>
internal sealed class ContainerdLease : IAsyncDisposable
{
    private const string ExpireLabel = "containerd.io/gc.expire";
    private static readonly TimeSpan s_deletionTimeout = TimeSpan.FromSeconds(20);

    private readonly ContainerdConnection _connection;
    private readonly Leases.LeasesClient _client;
    private readonly string _id;

    private ContainerdLease(ContainerdConnection connection, Leases.LeasesClient client, string id)
    {
        _connection = connection;
        _client = client;
        _id = id;
    }

    /// <summary>Makes a lease, under which all further calls of the connection are made.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="verb">What the lease's name begins with.</param>
    /// <param name="lifetime">When containerd drops it by itself, should this process be killed.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    public static async Task<ContainerdLease> CreateAsync(
        ContainerdConnection connection, string verb, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        Leases.LeasesClient client = new(connection.Channel);
        string id = $"overlaybd-{verb}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        CreateRequest request = new() { Id = id };
        request.Labels[ExpireLabel] = (DateTimeOffset.UtcNow + lifetime).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

        // Not abandoned half-way: a lease that nobody knows of would stand until it expires.
        cancellationToken.ThrowIfCancellationRequested();
        await connection.CallAsync("make a lease", options => client.CreateAsync(request, options), CancellationToken.None);
        connection.LeaseId = id;
        return new(connection, client, id);
    }

    /// <summary>Ends the lease, also when the verb failed or was interrupted.</summary>
    public async ValueTask DisposeAsync()
    {
        _connection.LeaseId = null;
        using CancellationTokenSource limit = new(s_deletionTimeout);
        try
        {
            await _connection.CallAsync("end the lease", options => _client.DeleteAsync(new() { Id = _id }, options), limit.Token);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            // It expired.
        }
        catch (Exception e) when (e is ContainerdException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"The lease {_id} stays until it expires: {e.Message}");
        }
    }
}
