// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Cli.Terminal;

/// <summary>Shows how far tasks are: a bar each on a terminal, a plain line when one is finished elsewhere.</summary>
internal sealed class ProgressDisplay : IDisposable
{
    private const int BarWidth = 30;
    private const int NameWidth = 28;
    private static readonly TimeSpan s_redrawInterval = TimeSpan.FromMilliseconds(100);

    // Guards the lines and the terminal, which several tasks report to.
    private readonly Lock _gate = new();
    private readonly List<ProgressLine> _lines = [];
    private readonly TextWriter _output;
    private readonly bool _draws;
    private readonly TimeProvider _clock;
    private long _drawnAt;
    private int _drawnLines;

    private ProgressDisplay(TextWriter output, bool draws, TimeProvider clock)
    {
        _output = output;
        _draws = draws;
        _clock = clock;
    }

    /// <summary>The display on standard error.</summary>
    public static ProgressDisplay OnStandardError() =>
        new(Console.Error, draws: !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb"), TimeProvider.System);

    public static ProgressDisplay On(TextWriter output, bool draws, TimeProvider clock) => new(output, draws, clock);

    /// <summary>Tells where a task is.</summary>
    /// <param name="task">What it is called; each name has one line.</param>
    /// <param name="done">How many bytes are done.</param>
    /// <param name="total">How many there are; 0 when that is not known.</param>
    /// <param name="note">What is being done to them.</param>
    public void Report(string task, long done, long total, string note)
    {
        lock (_gate)
        {
            ProgressLine line = Find(task);
            line.Done = done;
            line.Total = total;
            line.Note = note;
            if (_draws && _clock.GetElapsedTime(_drawnAt) >= s_redrawInterval)
            {
                Draw();
            }
        }
    }

    /// <summary>Tells that a task is finished.</summary>
    public void Finish(string task, string note)
    {
        lock (_gate)
        {
            ProgressLine line = Find(task);
            line.Done = line.Total;
            line.Note = note;
            if (_draws)
            {
                Draw();
            }
            else
            {
                _output.WriteLine($"{task}: {note}");
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_draws && _lines.Count > 0)
            {
                Draw();
            }
        }
    }

    private ProgressLine Find(string task)
    {
        ProgressLine? line = _lines.Find(l => l.Task == task);
        if (line is null)
        {
            line = new(task);
            _lines.Add(line);
        }

        return line;
    }

    private void Draw()
    {
        _drawnAt = _clock.GetTimestamp();
        if (_drawnLines > 0)
        {
            _output.Write(string.Create(CultureInfo.InvariantCulture, $"\u001b[{_drawnLines}A"));
        }

        foreach (ProgressLine line in _lines)
        {
            _output.WriteLine($"\r\u001b[2K{line.Task,-NameWidth} {Bar(line)} {line.Note}");
        }

        _drawnLines = _lines.Count;
        _output.Flush();
    }

    private static string Bar(ProgressLine line)
    {
        double share = line.Total > 0 ? Math.Clamp((double)line.Done / line.Total, 0, 1) : 0;
        int filled = (int)(share * BarWidth);
        return $"[{new string('#', filled)}{new string('.', BarWidth - filled)}] {(int)(share * 100),3}%";
    }

    private sealed class ProgressLine(string task)
    {
        public string Task { get; } = task;

        public long Done { get; set; }

        public long Total { get; set; }

        public string Note { get; set; } = "";
    }
}
