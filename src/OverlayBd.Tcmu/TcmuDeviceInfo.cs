// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace OverlayBd.Tcmu;

/// <summary>What the kernel tells of a device that is to be served.</summary>
/// <param name="Minor">The N of /dev/uioN.</param>
/// <param name="HostBusAdapter">The configfs directory "user_N" of the device, as its N.</param>
/// <param name="Name">The device's directory name in configfs.</param>
/// <param name="Subtype">What stands before the first '/' of the device's configuration: the handler it asks for.</param>
/// <param name="Configuration">What stands behind it; the handler's own business.</param>
public sealed record TcmuDeviceInfo(int Minor, int HostBusAdapter, string Name, string Subtype, string Configuration)
{
    private const string Prefix = "tcm-user";

    /// <summary>Parses a uio name: <c>tcm-user/HBA/NAME/SUBTYPE/CONFIGURATION</c>; the configuration may begin with '/'.</summary>
    /// <param name="minor">The N of /dev/uioN.</param>
    /// <param name="uioName">The content of its <c>name</c> file.</param>
    /// <param name="info">The device, when the name is that of one.</param>
    /// <returns>Whether the name is that of a TCMU device.</returns>
    public static bool TryParse(int minor, string uioName, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TcmuDeviceInfo? info)
    {
        ArgumentNullException.ThrowIfNull(uioName);
        info = null;
        string[] parts = uioName.TrimEnd('\n').Split('/', 5);
        if (parts.Length < 4 || parts[0] != Prefix || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int hba))
        {
            return false;
        }

        info = new TcmuDeviceInfo(minor, hba, parts[2], parts[3], parts.Length > 4 ? parts[4] : "");
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"user_{HostBusAdapter}/{Name} (uio{Minor})";
}
