// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using OverlayBd.Tcmu.Ring;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu;

public sealed partial class TcmuDevice
{
    // The thread has other devices to look after. What is left in the ring has rung the bell since the thread last waited.
    private const int MaxBatches = 8;

    /// <summary>Reads what is in the ring. Called on the thread of the device's poller only.</summary>
    /// <param name="hungUp">Whether the kernel has taken the device away.</param>
    /// <returns>Whether to go on with this device.</returns>
    internal bool ReadRing(bool hungUp = false) => ReadRing(hungUp, bellMayWait: false, out _);

    /// <summary>Reads what is in the ring. Called on the thread of the device's poller only.</summary>
    /// <param name="hungUp">Whether the kernel has taken the device away.</param>
    /// <param name="bellMayWait">Whether the caller rings the doorbell, which it does with its next system call.</param>
    /// <param name="owesBell">Whether it has to.</param>
    /// <returns>Whether to go on with this device.</returns>
    internal bool ReadRing(bool hungUp, bool bellMayWait, out bool owesBell)
    {
        owesBell = false;
        lock (_reading)
        {
            if (_closed || IsGone)
            {
                return false;
            }

            if (hungUp)
            {
                IsGone = true;
                return false;
            }

            TcmuCommand command = Rent();
            try
            {
                // Who was waiting for the answers may have sent more while the doorbell was rung: that saves the wait for them.
                for (int batch = 0; batch < MaxBatches && ReadBatch(ref command); batch++)
                {
                    if (bellMayWait)
                    {
                        owesBell = true;
                        break;
                    }

                    _device.RingDoorbell();
                }
            }
            catch (Exception broken)
            {
                // The thread serves other devices as well, and must live.
                TcmuLog.RingBroken(_logger, Info, broken);
                IsGone = true;
                return false;
            }
            finally
            {
                Return(command);
            }

            return true;
        }
    }

    /// <summary>Reads what is in the ring now. The caller rings the doorbell, once for all of it that has ended.</summary>
    /// <returns>Whether something has.</returns>
    private bool ReadBatch(ref TcmuCommand command)
    {
        bool completed = false;
        try
        {
            while (_ring.TryRead(command))
            {
                if (Start(command))
                {
                    completed = true;
                }
                else
                {
                    command = Rent();
                }
            }
        }
        catch when (completed)
        {
            _device.RingDoorbell(); // the caller never learns of them
            throw;
        }

        return completed;
    }

    /// <summary>Fails the commands that have waited longer than <paramref name="limit"/>.</summary>
    internal void AbandonOverdue(TimeSpan limit)
    {
        lock (_commands)
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            foreach (TcmuCommand command in _waiting)
            {
                if (!command.Abandoned.IsCancellationRequested && _time.GetElapsedTime(command.WaitingSince) > limit)
                {
                    _counters.Hung();
                    TcmuLog.CommandHung(_logger, Info, command.Cdb[0], limit);
                    command.Abandon(ScsiResult.TimedOut);
                }
            }
        }

        GiveUpOverdue(limit + s_grace);
    }

    // Apart, so that looking at a device on which nothing waits allocates nothing.
    private void GiveUpOverdue(TimeSpan limit)
    {
        if (_ring.CanKeepBuffers)
        {
            GiveUp(command => _time.GetElapsedTime(command.WaitingSince) > limit);
        }
    }

    /// <summary>Answers commands that were abandoned and that their store still holds. The store may write to their data area for as
    /// long as it likes, so the kernel is told to keep that as it is.</summary>
    private void GiveUp(Func<TcmuCommand, bool> which)
    {
        bool completed = false;
        lock (_commands)
        {
            foreach (TcmuCommand command in _waiting)
            {
                if (command.State == TcmuCommandState.Running && command.Abandoned.IsCancellationRequested && which(command))
                {
                    command.State = TcmuCommandState.GivenUp;
                    _givenUp.Add(command);
                    Complete(command, command.AbandonedResult, keepBuffer: true);
                    completed = true;
                }
            }

            if (completed)
            {
                _waiting.ExceptWith(_givenUp);
                _device.RingDoorbell();
                SignalIfIdle();
            }
        }
    }

    /// <summary>Begins a command.</summary>
    /// <returns>Whether it has ended already.</returns>
    private bool Start(TcmuCommand command)
    {
        command.ReadAt = _metrics?.RecordsDurations == true ? Stopwatch.GetTimestamp() : 0;
        ValueTask<ScsiResult> execution = _attention != 0 && TakeAttention(command.Cdb) is ScsiResult attention
            ? new(attention)
            : ExecuteAsync(command);
        if (execution.IsCompletedSuccessfully)
        {
            Complete(command, execution.Result);
            return true;
        }

        command.WaitingSince = _time.GetTimestamp();
        lock (_commands)
        {
            _waiting.Add(command);
        }

        _ = FinishAsync(command, execution);
        return false;
    }

    /// <summary>Waits for a command and completes it. Nothing escapes: errors have become results.</summary>
    private async Task FinishAsync(TcmuCommand command, ValueTask<ScsiResult> execution)
    {
        ScsiResult result = await execution.ConfigureAwait(false);
        bool answered;
        lock (_commands)
        {
            answered = command.State == TcmuCommandState.GivenUp;
            if (!answered)
            {
                command.State = TcmuCommandState.Ending;
            }
        }

        if (answered)
        {
            _device.ReleaseKeptBuffer(command.Id);
        }
        else
        {
            Complete(command, result);
            _device.RingDoorbell();
        }

        lock (_commands)
        {
            (answered ? _givenUp : _waiting).Remove(command);
            _free.Push(command);
            SignalIfIdle();
            if (answered)
            {
                ReleaseIfDone();
            }
        }
    }

    private void Complete(TcmuCommand command, ScsiResult result, bool keepBuffer = false)
    {
        Span<byte> sense = stackalloc byte[ScsiResult.SenseLength];
        if (result.SenseKey == 0)
        {
            sense = [];
        }
        else
        {
            result.WriteSense(sense);
        }

        if (command.ReadAt != 0)
        {
            _metrics!.RecordDuration((ScsiOpcode)command.Cdb[0], Stopwatch.GetElapsedTime(command.ReadAt));
        }

        try
        {
            _ring.Complete(command.Id, result.Status, sense, result.DataLength > 0 ? (uint)result.DataLength : null, keepBuffer);
        }
        catch (InvalidDataException broken)
        {
            TcmuLog.RingBroken(_logger, Info, broken);
            IsGone = true;
        }
    }

    private TcmuCommand Rent()
    {
        lock (_commands)
        {
            return _free.TryPop(out TcmuCommand? command) ? command : new TcmuCommand();
        }
    }

    private void Return(TcmuCommand command)
    {
        lock (_commands)
        {
            _free.Push(command);
        }
    }
}
