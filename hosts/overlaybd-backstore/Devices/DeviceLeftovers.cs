// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>The files that go with a device: its attachment, and a writable layer that was to be forgotten.</summary>
internal static class DeviceLeftovers
{
    public static void Remove(RunDirectory run, string id, Attachment? attachment)
    {
        File.Delete(run.AttachmentOf(id));
        if (attachment?.Request.Upper is not { Temporary: true } upper)
        {
            return;
        }

        try
        {
            File.Delete(upper.Data);
            File.Delete(upper.Index);
            Directory.Delete(Path.GetDirectoryName(upper.Data)!);
        }
        catch (IOException)
        {
            // Somebody put something there, or took it away; it is not this server's any more.
        }
    }
}
