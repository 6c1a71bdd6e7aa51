// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Registry.Distribution;

/// <summary>Runs operations on one repository: its servers in order within a try, and tries within a budget.</summary>
internal sealed class RegistrySession(
    ImageReference reference, EndpointResolver resolver, AuthorizedSender sender, RetryPolicy retries, ILogger logger)
{
    private int _urgent;

    public string Repository => reference.Repository;

    public string Name { get; } = $"{reference.Registry}/{reference.Repository}";

    public AuthorizedSender Sender => sender;

    public RetryPolicy Retries => retries;

    /// <summary>Has a registry that cannot be reached told of at once, until the result is disposed.</summary>
    public IDisposable FailFast()
    {
        Interlocked.Increment(ref _urgent);
        return new DisposeAction(() => Interlocked.Decrement(ref _urgent));
    }

    /// <summary>Tries an operation, within one budget, on the first server that manages it.</summary>
    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        Func<RegistryEndpoint, bool> can,
        Func<RegistryEndpoint, TState, CancellationToken, ValueTask<TResult>> operation,
        TState state,
        CancellationToken cancellationToken) =>
        ExecuteAsync(retries.NewBudget(), can, operation, state, null, cancellationToken);

    public async ValueTask<TResult> ExecuteAsync<TState, TResult>(
        AttemptBudget budget,
        Func<RegistryEndpoint, bool> can,
        Func<RegistryEndpoint, TState, CancellationToken, ValueTask<TResult>> operation,
        TState state,
        RegistryException? earlierFailure,
        CancellationToken cancellationToken)
    {
        try
        {
            return await retries.ExecuteAsync(
                budget,
                static (call, token) => call.Session.TryServersAsync(call.Can, call.Operation, call.State, token),
                (Session: this, Can: can, Operation: operation, State: state),
                earlierFailure,
                cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryException error)
        {
            RegistryTelemetry.Failed(reference.Registry, error.Error);
            throw;
        }
    }

    private async ValueTask<TResult> TryServersAsync<TState, TResult>(
        Func<RegistryEndpoint, bool> can,
        Func<RegistryEndpoint, TState, CancellationToken, ValueTask<TResult>> operation,
        TState state,
        CancellationToken cancellationToken)
    {
        IReadOnlyList<RegistryEndpoint> endpoints = await resolver.ResolveAsync(reference, cancellationToken).ConfigureAwait(false);
        RegistryEndpoint[] usable = [.. endpoints.Where(can)];
        for (int i = 0; ; i++)
        {
            if (i == usable.Length)
            {
                throw new RegistryException(
                    RegistryError.Rejected,
                    $"No server of {reference.Registry} is configured for this (see capabilities in its hosts.toml).");
            }

            try
            {
                return await operation(usable[i], state, cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryException error) when (i + 1 < usable.Length)
            {
                RegistryLog.MirrorFailed(logger, usable[i].Registry, error.Message);
            }
            catch (RegistryException error) when (error.IsUnreachable && Volatile.Read(ref _urgent) != 0)
            {
                // As before, but no longer transient.
                throw new RegistryException(error.Error, error.Message, error.StatusCode, error.InnerException);
            }
        }
    }
}
