// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>The reads of one request that did not complete at once; a bounded number of them is under way.</summary>
internal sealed class LsmtPendingReads
{
    /// <summary>How many reads of one request are under way at most.</summary>
    public const int Limit = 16;

    private readonly List<Task> _tasks = [];

    /// <summary>Takes a read; waits until there is room for another one.</summary>
    /// <returns><see langword="false"/> when a read has failed, so that starting others makes no sense.</returns>
    public async ValueTask<bool> AddAsync(ValueTask read)
    {
        if (read.IsCompletedSuccessfully)
        {
            read.GetAwaiter().GetResult();
            return true;
        }

        _tasks.Add(read.AsTask());
        while (_tasks.Count >= Limit)
        {
            Task completed = await Task.WhenAny(_tasks).ConfigureAwait(false);
            if (!completed.IsCompletedSuccessfully)
            {
                return false;
            }

            _tasks.Remove(completed);
        }

        return true;
    }

    /// <summary>Waits for all reads, also when some have failed: until then they may write to the caller's buffer.</summary>
    public Task WaitAllAsync() => Task.WhenAll(_tasks);
}
