// SPDX-License-Identifier: Apache-2.0

using System.Threading.Channels;

namespace OverlayBd.Format.ZFile;

/// <summary>Compresses batches on a fixed number of workers and gives them back in the order they came.</summary>
/// <remarks>Used by one thread at a time. Holds two batches a worker at most, whatever the file's length.</remarks>
internal sealed class ZFileCompressor : IAsyncDisposable
{
    private readonly Channel<Job> _jobs;
    private readonly Queue<Job> _inFlight;
    private readonly Task[] _workers;
    private readonly int _maxInFlight;

    /// <summary>Starts the workers.</summary>
    /// <param name="workers">How many batches are compressed at once; 1 compresses on the caller's thread.</param>
    public ZFileCompressor(int workers)
    {
        _maxInFlight = workers == 1 ? 1 : 2 * workers;
        _inFlight = new Queue<Job>(_maxInFlight);
        _jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(_maxInFlight) { SingleWriter = true });
        _workers = workers == 1 ? [] : new Task[workers];
        for (int i = 0; i < _workers.Length; i++)
        {
            _workers[i] = Task.Run(CompressAsync);
        }
    }

    /// <summary>Gets how many batches came and were not taken back.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>Gets whether a batch must be taken back before the next one comes.</summary>
    public bool IsFull => _inFlight.Count == _maxInFlight;

    /// <summary>Hands a batch in, which must not be touched until it is taken back. Never waits: see <see cref="IsFull"/>.</summary>
    /// <param name="batch">A batch that is not empty.</param>
    public void Add(ZFileBatch batch)
    {
        var job = new Job(batch);
        _inFlight.Enqueue(job);
        if (_workers.Length == 0)
        {
            job.Run();
        }
        else if (!_jobs.Writer.TryWrite(job))
        {
            throw new InvalidOperationException("The compressor was given more batches than it holds.");
        }
    }

    /// <summary>Takes the oldest batch back when it is compressed.</summary>
    /// <param name="cancellationToken">Abandons the wait.</param>
    /// <returns>The batch, compressed.</returns>
    public async ValueTask<ZFileBatch> TakeAsync(CancellationToken cancellationToken)
    {
        Job job = _inFlight.Peek();
        await job.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _inFlight.Dequeue().Batch;
    }

    /// <summary>Ends the workers, after the batches they have.</summary>
    /// <returns>A task that completes when no worker runs.</returns>
    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await Task.WhenAll(_workers).ConfigureAwait(false);
    }

    private async Task CompressAsync()
    {
        await foreach (Job job in _jobs.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            job.Run();
        }
    }

    /// <summary>One batch and the promise that it gets compressed.</summary>
    private sealed class Job(ZFileBatch batch)
    {
        // A continuation that ran on the worker would keep it from the next batch.
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ZFileBatch Batch => batch;

        public Task Done => _done.Task;

        public void Run()
        {
            try
            {
                batch.Compress();
                _done.SetResult();
            }
            catch (Exception error)
            {
                // Whoever takes the batch back gets it; a worker survives.
                _done.SetException(error);
            }
        }
    }
}
