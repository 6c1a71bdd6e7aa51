// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Fuse;

namespace OverlayBd.Backstore.Devices;

/// <summary>Shows images by way of /dev/fuse and loop devices.</summary>
internal sealed class FuseFrontEnd(BackstoreOptions options, ILoggerFactory loggers)
{
    private static readonly string[] s_nodes = ["/dev/fuse", "/dev/loop-control"];

    public static FrontEndState State => Array.Find(s_nodes, node => !File.Exists(node)) is { } missing
        ? new(FrontEnds.Fuse, false, $"{missing} is missing")
        : new(FrontEnds.Fuse, true);

    public async Task<FuseDisk> AttachAsync(string id, OpenedImage image, CancellationToken cancellationToken) =>
        new(await FuseBlockDevice.AttachAsync(
            image.Store,
            new()
            {
                Name = id,
                MountPoint = options.RunDirectory.BackingFile(id),
                ReadOnly = image.Store.IsReadOnly,
                AutoClear = true,
                LeaveOpen = true,
                RequestTimeout = options.RequestTimeout,
                LoggerFactory = loggers,
            },
            cancellationToken));
}
