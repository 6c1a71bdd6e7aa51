// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>How a device can be shown to the kernel.</summary>
internal static class FrontEnds
{
    /// <summary>TCMU where the kernel has it, else FUSE.</summary>
    public const string Auto = "auto";

    /// <summary>A SCSI disk through target_core_user and tcm_loop; it outlives its server.</summary>
    public const string Tcmu = "tcmu";

    /// <summary>A loop device over a FUSE mount; it ends with its server.</summary>
    public const string Fuse = "fuse";

    public static bool IsKnown(string name) => name is Auto or Tcmu or Fuse;
}
