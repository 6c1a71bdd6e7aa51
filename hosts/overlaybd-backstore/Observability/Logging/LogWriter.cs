// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace OverlayBd.Backstore.Observability.Logging;

/// <summary>Writes lines to a <see cref="RotatingFile"/> on a thread of its own. Those who log neither wait for the disk nor hear of its trouble.</summary>
internal sealed class LogWriter : IDisposable
{
    private const int Capacity = 16 * 1024;
    private const int BatchBytes = 64 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly BlockingCollection<string> _queue = new(Capacity);
    private readonly ArrayBufferWriter<byte> _batch = new(2 * BatchBytes);
    private readonly RotatingFile _file;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private string _trouble = "the writer could not keep up";
    private long _dropped;
    private long _told;
    private int _reopen;
    private int _disposed;

    /// <summary>Takes over an open file.</summary>
    /// <param name="name">What counts call the log.</param>
    /// <param name="file">The file; owned from now on.</param>
    /// <param name="time">The clock of the writer's own lines.</param>
    public LogWriter(string name, RotatingFile file, TimeProvider time)
    {
        Name = name;
        _file = file;
        _time = time;
        _thread = new Thread(Run) { IsBackground = true, Name = "log " + name };
        _thread.Start();
    }

    public string Name { get; }

    /// <summary>How many lines were lost: the queue was full, or the disk.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Hands over a line that ends with a line feed. Never waits and never fails.</summary>
    public void Write(string line)
    {
        try
        {
            if (!_queue.TryAdd(line))
            {
                Interlocked.Increment(ref _dropped);
            }
        }
        catch (InvalidOperationException)
        {
            // Closed: whoever logs this late is not heard.
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Opens the file anew, for those who have renamed it and wait for the old one to be left alone.</summary>
    public void Reopen()
    {
        Volatile.Write(ref _reopen, 1);
        Write("");
    }

    /// <summary>Writes what was handed over, and closes the file. A disk that does not answer is not waited for without end.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _queue.CompleteAdding();
        if (_thread.Join(s_patience))
        {
            _file.Dispose();
            _queue.Dispose();
        }
    }

    private void Run()
    {
        while (_queue.TryTake(out string? line, Timeout.Infinite))
        {
            int lines = 0;
            _batch.ResetWrittenCount();
            do
            {
                lines += line.Length > 0 ? 1 : 0;
                Encoding.UTF8.GetBytes(line, _batch);
            }
            while (_batch.WrittenCount < BatchBytes && _queue.TryTake(out line));

            Append(lines);
        }
    }

    private void Append(int lines)
    {
        try
        {
            if (Interlocked.Exchange(ref _reopen, 0) != 0)
            {
                _file.Reopen();
            }

            long dropped = Dropped;
            if (dropped > _told)
            {
                // Behind what could be written, and only told once it was.
                Encoding.UTF8.GetBytes(Loss(dropped - _told), _batch);
            }

            _file.Append(_batch.WrittenSpan);
            _told = dropped;
            _trouble = "the writer could not keep up";
        }
        catch (Exception e)
        {
            // A full disk must not end the writer: it goes on when there is room again.
            _trouble = e.Message;
            Interlocked.Add(ref _dropped, lines);
        }
    }

    private string Loss(long lines) => LogLine.Format(
        _time.GetLocalNow(), LogLine.NameOf(LogLevel.Warning), Environment.CurrentManagedThreadId, nameof(LogWriter), $"{lines} lines before this one were lost: {_trouble}");
}
