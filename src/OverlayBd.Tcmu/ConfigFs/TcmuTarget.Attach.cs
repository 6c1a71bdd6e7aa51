// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Tcmu.ConfigFs;

public sealed partial class TcmuTarget
{
    private const int EAGAIN = 11;
    private const int EINTR = 4;
    private static readonly TimeSpan s_enablePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_diskPause = TimeSpan.FromMilliseconds(10);

    /// <summary>Makes the device and waits for its disk. What was made is taken down when a step fails.</summary>
    /// <param name="configuration">What the handler is to serve, such as the path of a device configuration.</param>
    /// <param name="cancellationToken">Abandons the attach, though not while the handler opens the device; what was made is taken down.</param>
    /// <returns>The disk, such as <c>/dev/sda</c>.</returns>
    /// <exception cref="IOException">The device exists already, or a step failed; the message says which. The handler's own cause is
    /// in its log and result file.</exception>
    /// <exception cref="OperationCanceledException">The attach was abandoned.</exception>
    public async Task<string> AttachAsync(string configuration, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(configuration);
        cancellationToken.ThrowIfCancellationRequested();
        if (IsEnabled)
        {
            throw new IOException($"{_target} exists already. Detach it first, or look for its disk.");
        }

        try
        {
            ConfigFsDirectory.Create(_target);
            ConfigFsDirectory.Write(_target, "control", $"dev_config={_options.Subtype}/{configuration}");
            Control("max_data_area_mb", _options.MaxDataAreaMegabytes);
            if (File.Exists($"{_target}/attrib/cmd_ring_size_mb"))
            {
                Control("cmd_ring_size_mb", _options.CommandRingMegabytes);
            }

            await EnableAndLinkAsync(cancellationToken).ConfigureAwait(false);
            return await WaitForDiskAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await DetachAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes down whatever there is of the device, on a thread of its own: the kernel waits for the handler.</summary>
    /// <returns>A task that completes when nothing is left.</returns>
    /// <exception cref="IOException">The disk is in use, or its handler is dead and does not answer.</exception>
    public Task DetachAsync() => RunAsync(Detach);

    // The pool's threads may be needed by the very handler that the kernel waits for.
    private static Task RunAsync(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private void Control(string name, int value) =>
        ConfigFsDirectory.Write(_target, "control", string.Create(CultureInfo.InvariantCulture, $"{name}={value}"));

    private async Task EnableAndLinkAsync(CancellationToken cancellationToken)
    {
        bool enabled = false;
        void EnableAndLink()
        {
            ConfigFsDirectory.Write(_target, "enable", "1");
            enabled = true;
            ConfigFsDirectory.Write(_target, "attrib/cmd_time_out", Seconds(_options.CommandTimeout));
            ConfigFsDirectory.Create(Lun);
            ConfigFsDirectory.Write(PortalGroup, "nexus", Naa);
            File.CreateSymbolicLink(Link, _target); // here the kernel looks at the disk
        }

        for (TimeSpan waited = TimeSpan.Zero; ; waited += s_enablePause)
        {
            try
            {
                await RunAsync(EnableAndLink).ConfigureAwait(false);
                return;
            }
            catch (IOException error) when (!enabled && (error.HResult is EAGAIN or EINTR) && waited < _options.EnableTimeout)
            {
                // The handler is stopping or starting: the kernel holds announcements back, or lets go of those that the one
                // before owed an answer.
                await Task.Delay(s_enablePause, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException error) when (!enabled)
            {
                throw new IOException(
                    $"The handler of '{_options.Subtype}' refused {_target}, or there is none: {error.Message}", error.HResult);
            }
        }
    }

    private async Task<string> WaitForDiskAsync(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            if (FindDisk() is string disk && DiskDirectory is string directory)
            {
                ConfigFsDirectory.Write(directory, "timeout", Seconds(_options.DiskTimeout));
                if (_options.QueueDepth is int depth)
                {
                    ConfigFsDirectory.Write(directory, "queue_depth", depth.ToString(CultureInfo.InvariantCulture));
                }

                return disk;
            }

            if (_time.GetElapsedTime(start) > _options.DiskWait)
            {
                throw new IOException($"The kernel made no disk of {_target} within {_options.DiskWait}.");
            }

            await Task.Delay(s_diskPause, _time, cancellationToken).ConfigureAwait(false);
        }
    }
}
