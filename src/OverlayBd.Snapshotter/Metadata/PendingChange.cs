// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Metadata;

/// <summary>A change that somebody waits for.</summary>
internal sealed class PendingChange(Action<MetadataConnection> change, CancellationToken cancellationToken)
{
    // The one who commits goes on with its own work, not with that of those who waited.
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _failure;

    public Task Task => _outcome.Task;

    public bool IsAbandoned => cancellationToken.IsCancellationRequested;

    public void Apply(MetadataConnection connection) => change(connection);

    /// <summary>Notes why it did not happen; the first reason counts.</summary>
    public void Fail(Exception failure) => _failure ??= failure;

    public void Complete()
    {
        if (_failure is OperationCanceledException)
        {
            _outcome.SetCanceled(cancellationToken);
        }
        else if (_failure is not null)
        {
            _outcome.SetException(_failure);
        }
        else
        {
            _outcome.SetResult();
        }
    }
}
