// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The objects of configfs that make one disk; names as upstream's snapshotter gives them (pkg/snapshot/storage.go).</summary>
internal sealed class ConfigFsPaths
{
    private const int DefaultHostAdapter = 999_999_999;
    private const int IdDigits = 13;

    public ConfigFsPaths(ConfigFsOptions options, long id)
    {
        string text = id.ToString(CultureInfo.InvariantCulture);
        if (id < 0 || text.Length > IdDigits)
        {
            throw new ArgumentOutOfRangeException(nameof(id), id, $"A device's number has {IdDigits} digits at most.");
        }

        int adapter = options.Tenant < 0 ? DefaultHostAdapter : options.Tenant;
        int prefix = options.Tenant < 0 ? 199 : (options.Tenant % 100) + 100;
        Target = string.Create(CultureInfo.InvariantCulture, $"{options.TargetRoot}/core/user_{adapter}/dev_{text}");
        Naa = string.Create(CultureInfo.InvariantCulture, $"naa.{prefix:000}{text.PadLeft(IdDigits, '0')}");
        Loopback = $"{options.TargetRoot}/loopback/{Naa}";
        Link = $"{Lun}/dev_{text}";
    }

    /// <summary>The device of target_core_user.</summary>
    public string Target { get; }

    /// <summary>The name of the loopback target.</summary>
    public string Naa { get; }

    public string Loopback { get; }

    public string PortalGroup => Loopback + "/tpgt_1";

    public string Lun => PortalGroup + "/lun/lun_0";

    /// <summary>Ties the LUN to the device.</summary>
    public string Link { get; }
}
