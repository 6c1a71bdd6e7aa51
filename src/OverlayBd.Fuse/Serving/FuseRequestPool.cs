// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Fuse.Serving;

/// <summary>The request objects of a connection. Some stay for reuse; what a burst needed beyond is given back.</summary>
internal sealed class FuseRequestPool
{
    private readonly Lock _gate = new(); // guards the fields below
    private readonly FuseConnection _connection;
    private readonly int _retained;
    private readonly Stack<FuseRequest> _free;
    private readonly HashSet<FuseRequest> _all = [];
    private bool _closed;

    public FuseRequestPool(FuseConnection connection, int retained)
    {
        _connection = connection;
        _retained = retained;
        _free = new Stack<FuseRequest>(retained);
    }

    public FuseRequest Rent(FuseWorker worker)
    {
        FuseRequest? request;
        lock (_gate)
        {
            _free.TryPop(out request);
        }

        if (request is null)
        {
            request = new FuseRequest(_connection) { Worker = worker };
            lock (_gate)
            {
                _all.Add(request);
            }
        }

        request.Worker = worker;
        return request;
    }

    public void Return(FuseRequest request)
    {
        lock (_gate)
        {
            if (!_closed && _free.Count < _retained)
            {
                _free.Push(request);
                return;
            }

            _all.Remove(request);
        }

        request.Dispose();
    }

    /// <summary>Answers every request that is overdue.</summary>
    public void Expire(long now, TimeSpan timeout)
    {
        FuseRequest[] all;
        lock (_gate)
        {
            all = [.. _all];
        }

        foreach (FuseRequest request in all)
        {
            request.Expire(now, timeout);
        }
    }

    /// <summary>Cancels what stores still work on and frees the rest; nothing is retained from now on.</summary>
    public void Close()
    {
        FuseRequest[] free;
        FuseRequest[] used;
        lock (_gate)
        {
            _closed = true;
            free = _free.ToArray();
            _free.Clear();
            _all.ExceptWith(free);
            used = [.. _all];
        }

        Array.ForEach(free, static request => request.Dispose());
        Array.ForEach(used, static request => request.Cancel());
    }
}
