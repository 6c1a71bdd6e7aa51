// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Tcmu.TestHandler;

/// <summary>Opens the file that a device's configuration names; a device of the configuration "never" is never ready.</summary>
internal sealed class FileFactory : ITcmuDeviceFactory
{
    public async ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken)
    {
        if (device.Configuration == "never")
        {
            Console.WriteLine("opening");
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        return FileBlockStore.Open(device.Configuration);
    }
}
