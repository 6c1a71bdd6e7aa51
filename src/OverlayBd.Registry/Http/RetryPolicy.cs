// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace OverlayBd.Registry.Http;

/// <summary>Tries operations again while their failures are transient and their budget lasts.</summary>
internal sealed class RetryPolicy
{
    private static readonly ResiliencePropertyKey<AttemptBudget> s_budgetKey = new("overlaybd.budget");

    private readonly ResiliencePipeline _pipeline;

    public RetryPolicy(RegistryClientOptions options, RegistryStatistics statistics, ILogger logger)
    {
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = options.TimeProvider }
            .AddRetry(new RetryStrategyOptions
            {
                // The budget ends it, since some operations enter the pipeline more than once.
                MaxRetryAttempts = int.MaxValue,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = args => new ValueTask<bool>(
                    args.Outcome.Exception is RegistryException { IsTransient: true } && !Budget(args.Context).IsSpent),
                DelayGenerator = args => new ValueTask<TimeSpan?>(
                    args.Outcome.Exception is RegistryException { RetryAfter: TimeSpan asked }
                        ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, 0, options.MaxRetryDelay.Ticks))
                        : null),
                OnRetry = args =>
                {
                    statistics.AddRetry();
                    RegistryLog.Retrying(logger, args.Outcome.Exception!.Message, args.RetryDelay);
                    return default;
                },
            })
            .Build();
        MaxAttempts = options.MaxAttempts;
    }

    public int MaxAttempts { get; }

    public AttemptBudget NewBudget() => new(MaxAttempts);

    /// <summary>Runs <paramref name="attempt"/> until it succeeds, fails for good, or <paramref name="budget"/> is spent.</summary>
    /// <param name="budget">The operation's budget; each call of <paramref name="attempt"/> spends one.</param>
    /// <param name="attempt">One try, all its requests included.</param>
    /// <param name="state">Given to <paramref name="attempt"/>.</param>
    /// <param name="earlierFailure">A failure that happened outside, to wait for as if it were the first try's; not spent again.</param>
    /// <param name="cancellationToken">Abandons the operation.</param>
    public async ValueTask<TResult> ExecuteAsync<TState, TResult>(
        AttemptBudget budget,
        Func<TState, CancellationToken, ValueTask<TResult>> attempt,
        TState state,
        RegistryException? earlierFailure,
        CancellationToken cancellationToken)
    {
        ResilienceContext context = ResilienceContextPool.Shared.Get(false, cancellationToken);
        context.Properties.Set(s_budgetKey, budget);
        try
        {
            return await _pipeline.ExecuteAsync(
                async (ResilienceContext context, (Func<TState, CancellationToken, ValueTask<TResult>> Attempt, TState State) call) =>
                {
                    if (Interlocked.Exchange(ref earlierFailure, null) is RegistryException failure)
                    {
                        throw failure;
                    }

                    Budget(context).Spend();
                    return await call.Attempt(call.State, context.CancellationToken).ConfigureAwait(false);
                },
                context,
                (attempt, state)).ConfigureAwait(false);
        }
        catch (RegistryException error) when (error.IsTransient && budget.Used > 1)
        {
            throw new RegistryException(
                error.Error, $"{error.Message} Gave up after {budget.Used} attempts.", error.StatusCode, error.InnerException);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public ValueTask<TResult> ExecuteAsync<TState, TResult>(
        Func<TState, CancellationToken, ValueTask<TResult>> attempt, TState state, CancellationToken cancellationToken) =>
        ExecuteAsync(NewBudget(), attempt, state, null, cancellationToken);

    private static AttemptBudget Budget(ResilienceContext context) => context.Properties.GetValue(s_budgetKey, null!);
}
