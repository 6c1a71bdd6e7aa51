// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Http;

/// <summary>A time limit of one request that starts anew with each sign of life.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;

    public Deadline(TimeSpan limit, TimeProvider time) => _source = new CancellationTokenSource(limit, time);

    /// <summary>Cancelled when the time is over, or when <see cref="Bind"/>'s token is.</summary>
    public CancellationToken Token => _source.Token;

    public void Restart(TimeSpan limit) => _source.CancelAfter(limit);

    public void Stop() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>Lets a caller's token end the wait too, until the result is disposed.</summary>
    public CancellationTokenRegistration Bind(CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);

    public void Dispose() => _source.Dispose();
}
