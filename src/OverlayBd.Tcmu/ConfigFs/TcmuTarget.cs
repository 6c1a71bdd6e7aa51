// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Tcmu.ConfigFs;

/// <summary>The attaching side: makes a TCMU device and a loopback disk of it in configfs, finds them again, and takes them down.</summary>
/// <remarks>The steps, their order and what is written are those of upstream's snapshotter (accelerated-container-image
/// pkg/snapshot/storage.go), so that either finds and removes what the other has made.</remarks>
public sealed partial class TcmuTarget
{
    private const int MaxIdLength = 13;
    private const string DirectoryPrefix = "dev_";
    private readonly TcmuTargetOptions _options;
    private readonly TimeProvider _time;
    private readonly string _target;
    private readonly string _loopback;

    /// <summary>Names a device, which may exist or not; nothing is made yet.</summary>
    /// <param name="id">The device's id, up to 13 letters and digits: its directory is "dev_" and this.</param>
    /// <param name="options">How to make it; the defaults when <see langword="null"/>.</param>
    /// <param name="time">The clock of the waiting; the system's when <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The id cannot be part of a name in configfs.</exception>
    public TcmuTarget(string id, TcmuTargetOptions? options = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        if (!IsId(id))
        {
            throw new ArgumentException($"'{id}' cannot name a device: up to {MaxIdLength} letters and digits can.", nameof(id));
        }

        Id = id;
        _options = options ?? new TcmuTargetOptions();
        _time = time ?? TimeProvider.System;
        _target = $"{Adapter(_options)}/{DirectoryPrefix}{id}";
        Naa = string.Create(CultureInfo.InvariantCulture, $"naa.{_options.NaaPrefix:000}{id.PadLeft(MaxIdLength, '0')}");
        _loopback = $"{_options.TargetRoot}/loopback/{Naa}";
    }

    /// <summary>Gets the device's id.</summary>
    public string Id { get; }

    /// <summary>Gets the loopback target's name.</summary>
    public string Naa { get; }

    /// <summary>Gets whether anything of the device is in configfs, be it complete or not.</summary>
    public bool Exists => Directory.Exists(_target) || Directory.Exists(_loopback);

    /// <summary>Gets whether a handler has accepted the device. The handler may have gone since.</summary>
    public bool IsEnabled => ReadTrimmed($"{_target}/enable") == "1";

    /// <summary>Gets what the device was made for, without the subtype.</summary>
    /// <value><see langword="null"/> when there is no such device, or it is not of the options' subtype.</value>
    public string? Configuration
    {
        get
        {
            // Status: ACTIVATED … Config: SUBTYPE/CONFIGURATION Size: 1234 …
            string prefix = $"Config: {_options.Subtype}/";
            string? info = ReadTrimmed($"{_target}/info");
            int start = info?.IndexOf(prefix, StringComparison.Ordinal) ?? -1;
            int end = info?.LastIndexOf(" Size: ", StringComparison.Ordinal) ?? -1;
            return start >= 0 && end >= start + prefix.Length ? info![(start + prefix.Length)..end] : null;
        }
    }

    private string PortalGroup => _loopback + "/tpgt_1";

    private string Lun => PortalGroup + "/lun/lun_0";

    // Not by way of /sys/block, which comes later: with many devices at once it was seen to be missing when the disk was there.
    private string? DiskDirectory => ReadTrimmed($"{PortalGroup}/address") is string address
        ? $"{_options.SysFsRoot}/class/scsi_device/{address}:0/device"
        : null;

    private string Link => $"{Lun}/{DirectoryPrefix}{Id}";

    /// <summary>Finds the devices of an adapter, those included that somebody has only half made or half taken down.</summary>
    /// <param name="options">Where to look; the defaults when <see langword="null"/>.</param>
    /// <param name="time">The clock of later waiting; the system's when <see langword="null"/>.</param>
    /// <returns>The devices, by id in ordinal order. Directories that cannot be such a device are left out.</returns>
    public static IReadOnlyList<TcmuTarget> List(TcmuTargetOptions? options = null, TimeProvider? time = null)
    {
        options ??= new TcmuTargetOptions();
        string naaPrefix = string.Create(CultureInfo.InvariantCulture, $"naa.{options.NaaPrefix:000}");
        IEnumerable<string> devices = Names(Adapter(options), DirectoryPrefix);
        IEnumerable<string> loopbacks = Names($"{options.TargetRoot}/loopback", naaPrefix)
            .SelectMany(name => Names($"{options.TargetRoot}/loopback/{naaPrefix}{name}/tpgt_1/lun/lun_0", DirectoryPrefix));
        return [.. devices.Concat(loopbacks).Where(IsId).Distinct().Order(StringComparer.Ordinal).Select(id => new TcmuTarget(id, options, time))];
    }

    /// <summary>Finds the disk of a device that was attached before, perhaps by another process.</summary>
    /// <returns>The disk, such as <c>/dev/sda</c>; <see langword="null"/> when there is none.</returns>
    public string? FindDisk()
    {
        return DiskDirectory is string directory && Names(directory + "/block", "").FirstOrDefault() is string name && File.Exists("/dev/" + name)
            ? "/dev/" + name
            : null;
    }

    /// <summary>Has the kernel look at the disk's capacity again, after it was resized.</summary>
    /// <exception cref="IOException">There is no disk.</exception>
    public void Rescan()
    {
        ConfigFsDirectory.Write(DiskDirectory ?? throw new IOException($"There is no disk of {_target}."), "rescan", "1");
    }

    /// <summary>Takes down whatever there is of the device. Nothing at all is fine too.</summary>
    /// <remarks>Blocks until the handler has let the device go.</remarks>
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

    private static string Adapter(TcmuTargetOptions options) =>
        string.Create(CultureInfo.InvariantCulture, $"{options.TargetRoot}/core/user_{options.HostBusAdapter}");

    private static bool IsId(string id) => id.Length is > 0 and <= MaxIdLength && id.All(char.IsAsciiLetterOrDigit);

    /// <summary>The names below a directory that begin with a prefix, without it.</summary>
    private static string[] Names(string directory, string prefix)
    {
        try
        {
            return [.. new DirectoryInfo(directory).EnumerateFileSystemInfos(prefix + "*").Select(entry => entry.Name[prefix.Length..])];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static string? ReadTrimmed(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
