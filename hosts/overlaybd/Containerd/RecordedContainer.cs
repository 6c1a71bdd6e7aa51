// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ContainersV1;
using OverlayBd.Cli.Containerd.Api.TasksV1;
using Mount = OverlayBd.Cli.Containerd.Api.Types.Mount;

namespace OverlayBd.Cli.Containerd;

/// <summary>A container of containerd with its task. Both go with this object, whatever state they are in.</summary>
internal sealed class RecordedContainer : IAsyncDisposable
{
    private const string SpecType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
    private const uint Terminate = 15;
    private const uint Kill = 9;
    private static readonly TimeSpan s_removalTimeout = TimeSpan.FromSeconds(30);

    private readonly ContainerdConnection _connection;
    private readonly Api.ContainersV1.Containers.ContainersClient _containers;
    private readonly Tasks.TasksClient _tasks;
    private readonly string _id;
    private bool _hasTask;

    private RecordedContainer(ContainerdConnection connection, string id)
    {
        _connection = connection;
        _id = id;
        _containers = new(connection.Channel);
        _tasks = new(connection.Channel);
    }

    public static async Task<RecordedContainer> CreateAsync(
        ContainerdConnection connection,
        string id,
        string image,
        RecordOptions options,
        ReadOnlyMemory<byte> spec,
        CancellationToken cancellationToken)
    {
        RecordedContainer container = new(connection, id);
        Container record = new()
        {
            Id = id,
            Image = image,
            Runtime = new() { Name = options.Runtime },
            Spec = new Any { TypeUrl = SpecType, Value = UnsafeByteOperations.UnsafeWrap(spec) },
            Snapshotter = options.Snapshotter,
            SnapshotKey = id,
        };

        // Neither this nor the task is abandoned half-way: nobody would know whether there is something to remove.
        cancellationToken.ThrowIfCancellationRequested();
        await connection.CallAsync(
            $"make the container {id}", o => container._containers.CreateAsync(new() { Container = record }, o), CancellationToken.None);
        return container;
    }

    /// <summary>Starts the container's process.</summary>
    /// <returns>A task that completes with the exit status when the process ends.</returns>
    public async Task<Task<uint>> StartAsync(IReadOnlyList<Mount> root, string outputPath, CancellationToken cancellationToken)
    {
        string output = new Uri(outputPath).AbsoluteUri;
        CreateTaskRequest request = new() { ContainerId = _id, Rootfs = { root }, Stdout = output, Stderr = output };
        await _connection.CallAsync($"make the task of {_id}", options => _tasks.CreateAsync(request, options), CancellationToken.None);
        _hasTask = true;
        Task<uint> exit = WaitAsync(cancellationToken);
        await _connection.CallAsync(
            $"start the process of {_id}", options => _tasks.StartAsync(new() { ContainerId = _id }, options), cancellationToken);
        return exit;
    }

    /// <summary>Ends the process: asks it to, and when it does not within a time, kills it.</summary>
    public async Task StopAsync(Task<uint> exit, TimeSpan patience, CancellationToken cancellationToken)
    {
        await SignalAsync(Terminate, cancellationToken);
        await Task.WhenAny(exit, Task.Delay(patience, cancellationToken));
        if (!exit.IsCompleted)
        {
            await SignalAsync(Kill, cancellationToken);
        }

        await exit;
    }

    public async ValueTask DisposeAsync()
    {
        if (_hasTask)
        {
            await RemoveAsync("task", RemoveTaskAsync);
        }

        await RemoveAsync("container", token => IgnoreMissingAsync(_connection.CallAsync(
            $"remove the container {_id}", options => _containers.DeleteAsync(new() { Id = _id }, options), token)));
    }

    /// <summary>Removes a part, also when the verb was interrupted. A failure is told, no more.</summary>
    private async Task RemoveAsync(string part, Func<CancellationToken, Task> remove)
    {
        using CancellationTokenSource limit = new(s_removalTimeout);
        try
        {
            await remove(limit.Token);
        }
        catch (Exception e) when (e is ContainerdException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"The {part} {_id} is left behind: {e.Message} Try: ctr tasks kill, ctr containers rm.");
        }
    }

    private async Task RemoveTaskAsync(CancellationToken cancellationToken)
    {
        Task<uint> exit = WaitAsync(cancellationToken);
        await SignalAsync(Kill, cancellationToken);
        await ((Task)exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await IgnoreMissingAsync(_connection.CallAsync(
            $"remove the task of {_id}", options => _tasks.DeleteAsync(new() { ContainerId = _id }, options), cancellationToken));
    }

    private async Task<uint> WaitAsync(CancellationToken cancellationToken)
    {
        WaitResponse response = await _connection.CallAsync(
            $"wait for {_id}", options => _tasks.WaitAsync(new() { ContainerId = _id }, options), cancellationToken);
        return response.ExitStatus;
    }

    /// <summary>Sends a signal to all processes of the container; one that has ended takes none.</summary>
    private Task SignalAsync(uint signal, CancellationToken cancellationToken) => IgnoreMissingAsync(_connection.CallAsync(
        $"signal {_id}",
        options => _tasks.KillAsync(new() { ContainerId = _id, Signal = signal, All = signal == Kill }, options),
        cancellationToken));

    private static async Task IgnoreMissingAsync<T>(Task<T> call)
    {
        try
        {
            await call;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            // It ended before.
        }
    }
}
