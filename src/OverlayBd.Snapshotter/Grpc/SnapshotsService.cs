// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OverlayBd.Snapshotter.Grpc.Protocol;

namespace OverlayBd.Snapshotter.Grpc;

/// <summary>containerd's service <c>containerd.services.snapshots.v1.Snapshots</c>: converts, calls and maps, nothing else.</summary>
public sealed class SnapshotsService : IDisposable
{
    /// <summary>How many snapshots one message of a listing has at most.</summary>
    private const int ListBatch = 100;

    private readonly OverlayBdSnapshotter _snapshotter;
    private readonly CallRecorder _calls;

    /// <summary>Creates the service.</summary>
    /// <param name="snapshotter">What it serves. It stays the caller's.</param>
    /// <param name="loggerFactory">Where each call is logged; <see langword="null"/> for nowhere.</param>
    /// <param name="timeProvider">The clock of durations; <see langword="null"/> for the system's.</param>
    public SnapshotsService(OverlayBdSnapshotter snapshotter, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(snapshotter);
        _snapshotter = snapshotter;
        ILogger logger = loggerFactory?.CreateLogger<SnapshotsService>() ?? (ILogger)NullLogger.Instance;
        _calls = new(timeProvider ?? TimeProvider.System, logger);
    }

    /// <summary>Describes the service to a gRPC server.</summary>
    /// <returns>The methods and what answers them.</returns>
    public ServerServiceDefinition Bind() => Protocol.Snapshots.BindService(new Adapter(this));

    /// <summary>Ends the measurements.</summary>
    public void Dispose() => _calls.Dispose();

    private sealed class Adapter(SnapshotsService owner) : Protocol.Snapshots.SnapshotsBase
    {
        private readonly OverlayBdSnapshotter _snapshotter = owner._snapshotter;
        private readonly CallRecorder _calls = owner._calls;

        public override Task<PrepareSnapshotResponse> Prepare(PrepareSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Prepare),
            request.Key,
            request.Parent,
            async () =>
            {
                PrepareSnapshotResponse response = new();
                ProtocolConversion.AddTo(
                    response.Mounts,
                    await _snapshotter.PrepareAsync(
                        request.Key, request.Parent, ProtocolConversion.ToLabels(request.Labels), context.CancellationToken).ConfigureAwait(false));
                return response;
            });

        public override Task<ViewSnapshotResponse> View(ViewSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(View),
            request.Key,
            request.Parent,
            async () =>
            {
                ViewSnapshotResponse response = new();
                ProtocolConversion.AddTo(
                    response.Mounts,
                    await _snapshotter.ViewAsync(
                        request.Key, request.Parent, ProtocolConversion.ToLabels(request.Labels), context.CancellationToken).ConfigureAwait(false));
                return response;
            });

        public override Task<MountsResponse> Mounts(MountsRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Mounts),
            request.Key,
            "",
            async () =>
            {
                MountsResponse response = new();
                ProtocolConversion.AddTo(
                    response.Mounts, await _snapshotter.MountsAsync(request.Key, context.CancellationToken).ConfigureAwait(false));
                return response;
            });

        public override Task<Empty> Commit(CommitSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Commit),
            request.Key,
            request.Parent,
            async () =>
            {
                await _snapshotter.CommitAsync(
                    request.Name, request.Key, ProtocolConversion.ToLabels(request.Labels), request.Parent, context.CancellationToken)
                    .ConfigureAwait(false);
                return new Empty();
            });

        public override Task<Empty> Remove(RemoveSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Remove),
            request.Key,
            "",
            async () =>
            {
                await _snapshotter.RemoveAsync(request.Key, context.CancellationToken).ConfigureAwait(false);
                return new Empty();
            });

        public override Task<StatSnapshotResponse> Stat(StatSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Stat),
            request.Key,
            "",
            async () => new StatSnapshotResponse
            {
                Info = ProtocolConversion.ToMessage(await _snapshotter.StatAsync(request.Key, context.CancellationToken).ConfigureAwait(false)),
            });

        public override Task<UpdateSnapshotResponse> Update(UpdateSnapshotRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Update),
            request.Info?.Name ?? "",
            "",
            async () =>
            {
                Info info = request.Info ?? throw SnapshotException.Invalid("the request has no info");
                SnapshotInfo wanted = new() { Name = info.Name, Labels = ProtocolConversion.ToLabels(info.Labels) };
                SnapshotInfo updated = await _snapshotter.UpdateAsync(wanted, [.. request.UpdateMask?.Paths ?? []], context.CancellationToken)
                    .ConfigureAwait(false);
                return new UpdateSnapshotResponse { Info = ProtocolConversion.ToMessage(updated) };
            });

        public override Task List(
            ListSnapshotsRequest request, IServerStreamWriter<ListSnapshotsResponse> responseStream, ServerCallContext context) => _calls.RunAsync(
            context,
            "Walk",
            string.Join(';', request.Filters),
            "",
            async () =>
            {
                IReadOnlyList<SnapshotInfo> infos = await _snapshotter.ListAsync(request.Filters, context.CancellationToken).ConfigureAwait(false);
                foreach (SnapshotInfo[] batch in infos.Chunk(ListBatch))
                {
                    ListSnapshotsResponse response = new();
                    response.Info.AddRange(batch.Select(ProtocolConversion.ToMessage));
                    await responseStream.WriteAsync(response, context.CancellationToken).ConfigureAwait(false);
                }

                return infos.Count;
            });

        public override Task<UsageResponse> Usage(UsageRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Usage),
            request.Key,
            "",
            async () =>
            {
                SnapshotUsage usage = await _snapshotter.UsageAsync(request.Key, context.CancellationToken).ConfigureAwait(false);
                return new UsageResponse { Size = usage.Size, Inodes = usage.Inodes };
            });

        public override Task<Empty> Cleanup(CleanupRequest request, ServerCallContext context) => _calls.RunAsync(
            context,
            nameof(Cleanup),
            "",
            "",
            async () =>
            {
                await _snapshotter.CleanupAsync(context.CancellationToken).ConfigureAwait(false);
                return new Empty();
            });
    }
}
