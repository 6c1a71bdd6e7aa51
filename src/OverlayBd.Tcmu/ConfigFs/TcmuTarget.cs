// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Tcmu.ConfigFs;

/// <summary>The attaching side: makes a TCMU device and a loopback disk of it in configfs, and takes both down again.</summary>
/// <remarks>The steps and their order are those of upstream's snapshotter (accelerated-container-image pkg/snapshot/storage.go).</remarks>
public sealed class TcmuTarget
{
    private const int EnableTries = 100;
    private const int DiskTries = 500;
    private const int EAGAIN = 11;
    private static readonly TimeSpan s_enablePause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_diskPause = TimeSpan.FromMilliseconds(10);
    private readonly TcmuTargetOptions _options;
    private readonly TimeProvider _time;
    private readonly string _target;
    private readonly string _loopback;

    /// <summary>Names a device; nothing is made yet.</summary>
    /// <param name="id">The device's id, up to 13 letters and digits: its directory is "dev_" and this.</param>
    /// <param name="options">How to make it; the defaults when <see langword="null"/>.</param>
    /// <param name="time">The clock of the waiting; the system's when <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The id cannot be part of a name in configfs.</exception>
    public TcmuTarget(string id, TcmuTargetOptions? options = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        if (id.Length > 13 || !id.All(char.IsAsciiLetterOrDigit))
        {
            throw new ArgumentException($"'{id}' cannot name a device: up to 13 letters and digits can.", nameof(id));
        }

        Id = id;
        _options = options ?? new TcmuTargetOptions();
        _time = time ?? TimeProvider.System;
        _target = string.Create(
            CultureInfo.InvariantCulture, $"{_options.TargetRoot}/core/user_{_options.HostBusAdapter}/dev_{id}");
        Naa = "naa.199" + id.PadLeft(13, '0');
        _loopback = $"{_options.TargetRoot}/loopback/{Naa}";
    }

    /// <summary>Gets the device's id.</summary>
    public string Id { get; }

    /// <summary>Gets the loopback target's name.</summary>
    public string Naa { get; }

    private string PortalGroup => _loopback + "/tpgt_1";

    private string Lun => PortalGroup + "/lun/lun_0";

    private string Link => $"{Lun}/dev_{Id}";

    /// <summary>Makes the device and waits for its disk. What was made is taken down when a step fails.</summary>
    /// <param name="configuration">What the handler is to serve, such as the path of a device configuration.</param>
    /// <param name="cancellationToken">Abandons the attach; what was made is taken down.</param>
    /// <returns>The disk, such as <c>/dev/sda</c>.</returns>
    /// <exception cref="IOException">A step failed; the message says which. The handler's own cause is in its log and result file.</exception>
    /// <exception cref="OperationCanceledException">The attach was abandoned.</exception>
    public async Task<string> AttachAsync(string configuration, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(configuration);
        try
        {
            ConfigFsDirectory.Create(_target);
            ConfigFsDirectory.Write(_target, "control", $"dev_config={_options.Subtype}/{configuration}");
            ConfigFsDirectory.Write(_target, "control", string.Create(
                CultureInfo.InvariantCulture,
                $"max_data_area_mb={_options.MaxDataAreaMegabytes},cmd_ring_size_mb={_options.CommandRingMegabytes}"));
            await EnableAsync(cancellationToken).ConfigureAwait(false);
            string seconds = ((long)_options.CommandTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            ConfigFsDirectory.Write(_target, "attrib/cmd_time_out", seconds);
            ConfigFsDirectory.Create(Lun);
            ConfigFsDirectory.Write(PortalGroup, "nexus", Naa);
            File.CreateSymbolicLink(Link, _target);
            return await FindDiskAsync(seconds, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            Detach();
            throw;
        }
    }

    /// <summary>Takes down whatever there is of the device. Nothing at all is fine too.</summary>
    /// <exception cref="IOException">The disk is in use, or its handler is dead and does not answer.</exception>
    public void Detach()
    {
        // The exact reverse: the kernel refuses to remove an object that another one uses.
        if (Directory.Exists(Lun))
        {
            File.Delete(Link);
        }

        ConfigFsDirectory.Remove(Lun);
        ConfigFsDirectory.Remove(PortalGroup);
        ConfigFsDirectory.Remove(_loopback);
        ConfigFsDirectory.Remove(_target);
    }

    private async Task EnableAsync(CancellationToken cancellationToken)
    {
        for (int i = 1; ; i++)
        {
            try
            {
                // Returns when the handler has answered; on the pool, since that may take as long as an image takes to open.
                await Task.Run(() => ConfigFsDirectory.Write(_target, "enable", "1"), cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (IOException error) when (error.HResult == EAGAIN && i < EnableTries)
            {
                // The handler is starting: the kernel holds announcements back.
                await Task.Delay(s_enablePause, _time, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException error)
            {
                throw new IOException($"The handler of '{_options.Subtype}' refused {_target}, or there is none: {error.Message}", error);
            }
        }
    }

    private async Task<string> FindDiskAsync(string timeoutSeconds, CancellationToken cancellationToken)
    {
        string address = (await File.ReadAllTextAsync($"{PortalGroup}/address", cancellationToken).ConfigureAwait(false)).Trim();
        string device = $"{_options.SysFsRoot}/class/scsi_device/{address}:0/device";
        string blocks = device + "/block";
        for (int i = 0; i < DiskTries; i++)
        {
            if (Directory.Exists(blocks) && Directory.EnumerateDirectories(blocks).FirstOrDefault() is string block)
            {
                string name = Path.GetFileName(block);
                if (File.Exists("/dev/" + name))
                {
                    // Not by way of /sys/block, which comes later: with many devices at once it was seen to be missing here.
                    ConfigFsDirectory.Write(device, "timeout", timeoutSeconds);
                    return "/dev/" + name;
                }
            }

            await Task.Delay(s_diskPause, _time, cancellationToken).ConfigureAwait(false);
        }

        throw new IOException($"The kernel made no disk of {_target}: {blocks} stayed empty.");
    }
}
