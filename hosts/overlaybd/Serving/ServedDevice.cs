// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>A device that was attached here, and the way to its server.</summary>
internal sealed class ServedDevice(DeviceInfo info, string socket)
{
    public DeviceInfo Info { get; } = info;

    /// <summary>Attaches with the daemon of this machine when it answers, else with a server private to the device.</summary>
    public static async Task<ServedDevice> AttachAsync(AttachRequest request, ServingOptions options, CancellationToken cancellationToken)
    {
        string daemon = options.RunDirectory.DaemonSocket;
        if (await BackstoreClient.AnswersAsync(daemon, cancellationToken))
        {
            return await AttachAsync(request, daemon, cancellationToken);
        }

        if (request.FrontEnd == FrontEnds.Tcmu)
        {
            throw new CommandException($"TCMU devices need a daemon, and none answers on {daemon}.", "start overlaybd-backstore, or --device fuse.");
        }

        using PrivateBackstore server = await PrivateBackstore.StartAsync(options, cancellationToken);
        return await AttachAsync(request, server.Socket, cancellationToken);
    }

    public async Task DetachAsync(bool force = false)
    {
        using BackstoreClient client = new(socket);
        await client.DetachAsync(Info.Id, force, CancellationToken.None);
    }

    public async Task<DeviceStatistics> ReadStatisticsAsync(CancellationToken cancellationToken)
    {
        using BackstoreClient client = new(socket);
        return await client.ReadStatisticsAsync(Info.Id, cancellationToken);
    }

    private static async Task<ServedDevice> AttachAsync(AttachRequest request, string socket, CancellationToken cancellationToken)
    {
        using BackstoreClient client = new(socket);
        return new(await client.AttachAsync(request, cancellationToken), socket);
    }
}
