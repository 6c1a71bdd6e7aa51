// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Loop;
using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Protocol;
using Tmds.Linux;

namespace OverlayBd.Fuse;

/// <summary>Finds the devices of this library, and removes those whose server is gone.</summary>
/// <remarks>
/// Only what is mounted in this mount namespace as type "fuse.overlaybd" from a source that begins with "overlaybd:" is looked at,
/// and nothing else is ever touched.
/// </remarks>
public static class FuseDeviceInventory
{
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_removalTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Lists the devices.</summary>
    /// <param name="cancellationToken">Abandons the search.</param>
    /// <returns>The devices, in the order in which they were mounted.</returns>
    /// <exception cref="IOException">The mount table cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The search was abandoned.</exception>
    public static async Task<IReadOnlyList<FuseDeviceInfo>> ListAsync(CancellationToken cancellationToken = default)
    {
        List<FuseDeviceInfo> devices = [];
        foreach (MountEntry mount in MountTable.Read().OverlayBdMounts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            FuseDeviceState? state = await FindStateAsync(mount.MountPoint).ConfigureAwait(false);
            if (state is not null)
            {
                devices.Add(await BlockingCall.RunAsync(() => Describe(mount, state.Value)).ConfigureAwait(false));
            }
        }

        return devices;
    }

    /// <summary>Lists the devices whose server is gone.</summary>
    /// <param name="cancellationToken">Abandons the search.</param>
    /// <returns>The dead devices, in the order in which they were mounted.</returns>
    /// <exception cref="IOException">The mount table cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The search was abandoned.</exception>
    public static async Task<IReadOnlyList<FuseDeviceInfo>> FindStaleAsync(CancellationToken cancellationToken = default)
    {
        IReadOnlyList<FuseDeviceInfo> devices = await ListAsync(cancellationToken).ConfigureAwait(false);
        return [.. devices.Where(static device => device.State == FuseDeviceState.Dead)];
    }

    /// <summary>Removes a device whose server is gone, with its mount and its mount-point file.</summary>
    /// <param name="device">What was listed.</param>
    /// <param name="unmountUsers">Whether file systems on the device are unmounted first. Their files that processes still have open stay,
    /// and fail, until they are closed.</param>
    /// <param name="evenIfUnresponsive">Whether a device whose server is there and does not answer counts as dead. A server that was killed
    /// while it flushed its own device, whose store hung, cannot end in any other way.</param>
    /// <param name="cancellationToken">Abandons the wait for the kernel; the removal can be called again.</param>
    /// <returns>A task that completes when nothing of the device is left.</returns>
    /// <exception cref="InvalidOperationException">The device has a server.</exception>
    /// <exception cref="IOException">The device is in use (the message says by whom), or the kernel refused.</exception>
    /// <exception cref="OperationCanceledException">The wait was abandoned.</exception>
    public static async Task CleanUpAsync(
        FuseDeviceInfo device, bool unmountUsers = false, bool evenIfUnresponsive = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (FindMount(device) is not MountEntry entry)
        {
            return;
        }

        // Somebody else may be removing it as well, and the number be a living device's by now: what is to be aborted is opened before the
        // state is asked and the mount looked for once more.
        using FuseMount mount = FuseMount.Of(entry);
        FuseDeviceState? state = await FindStateAsync(device.MountPoint).ConfigureAwait(false);
        if (state is null || FindMount(device) != entry)
        {
            return;
        }

        if (state == FuseDeviceState.Serving || (state == FuseDeviceState.Unresponsive && !evenIfUnresponsive))
        {
            throw new InvalidOperationException($"The device '{device.Name}' over '{device.MountPoint}' has a server ({state}).");
        }

        // The order matters: who hangs in a request is freed, then the file system, the loop device, and the mount below it.
        await BlockingCall.RunAsync(mount.Abort).ConfigureAwait(false);
        LoopDevice? loop = await BlockingCall.RunAsync(() => FindLoop(entry)).ConfigureAwait(false);
        if (loop is not null)
        {
            await ReleaseUsersAsync(device, loop, unmountUsers).ConfigureAwait(false);
            await BlockingCall.RunAsync(loop.Clear).ConfigureAwait(false);
            await WaitUntilGoneAsync(device, loop, entry, cancellationToken).ConfigureAwait(false);
        }

        await BlockingCall.RunAsync(() => mount.TryUnmount(lazily: true)).ConfigureAwait(false);
        MountPointFile.Remove(device.MountPoint);
    }

    private static async Task ReleaseUsersAsync(FuseDeviceInfo device, LoopDevice loop, bool unmount)
    {
        IReadOnlyList<string> users = await BlockingCall.RunAsync(() => LoopUsers.Find(loop)).ConfigureAwait(false);
        if (users.Count > 0 && unmount)
        {
            foreach (string mountPoint in MountTable.Read().MountPointsOf(LoopConstants.Major, loop.Number))
            {
                int errno = await BlockingCall.RunAsync(() => LinuxCalls.Unmount(mountPoint, LibC.MNT_DETACH)).ConfigureAwait(false);
                if (errno != 0)
                {
                    throw KernelError.Create(errno, $"'{mountPoint}' cannot be unmounted");
                }
            }

            users = await BlockingCall.RunAsync(() => LoopUsers.Find(loop)).ConfigureAwait(false);
        }

        if (users.Count > 0)
        {
            throw new IOException($"{loop.Path} of the dead device '{device.Name}' is in use: {string.Join(", ", users)}.");
        }
    }

    private static async Task WaitUntilGoneAsync(
        FuseDeviceInfo device, LoopDevice loop, MountEntry entry, CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (await BlockingCall.RunAsync(() => loop.IsBackedBy(entry.Minor, entry.MountPoint)).ConfigureAwait(false))
        {
            if (TimeProvider.System.GetElapsedTime(start) >= s_removalTimeout)
            {
                IReadOnlyList<string> users = LoopUsers.FindOpen(loop.Path);
                throw new IOException(
                    $"{loop.Path} of the dead device '{device.Name}' goes when its last user does; it is still open: "
                    + $"{string.Join(", ", users)}.");
            }

            await Task.Delay(s_pollInterval, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    private static MountEntry? FindMount(FuseDeviceInfo device) => MountTable.Read().OverlayBdMounts.FirstOrDefault(
        mount => mount.Minor == device.Connection && mount.MountPoint == device.MountPoint);

    private static FuseDeviceInfo Describe(MountEntry mount, FuseDeviceState state)
    {
        LoopDevice? loop = FindLoop(mount);
        return new FuseDeviceInfo
        {
            Name = mount.Source[FuseConstants.SourcePrefix.Length..],
            MountPoint = mount.MountPoint,
            DevicePath = loop?.Path,
            State = state,
            Users = loop is null ? [] : LoopUsers.Find(loop),
            Connection = mount.Minor,
        };
    }

    private static LoopDevice? FindLoop(MountEntry mount) =>
        LoopDevice.All().FirstOrDefault(loop => loop.IsBackedBy(mount.Minor, mount.MountPoint));

    /// <summary>Asks the server for something the kernel does not know by itself; null when the mount is gone meanwhile.</summary>
    private static async Task<FuseDeviceState?> FindStateAsync(string mountPoint)
    {
        Task<int> question = BlockingCall.RunAsync(() => LinuxCalls.CheckFileSystem(mountPoint));
        try
        {
            int errno = await question.WaitAsync(s_answerTimeout, TimeProvider.System).ConfigureAwait(false);
            return errno switch
            {
                0 => FuseDeviceState.Serving,
                _ when errno == LibC.ENOENT => null,
                _ => FuseDeviceState.Dead, // ENOTCONN: nobody has the connection; ECONNABORTED: it was aborted
            };
        }
        catch (TimeoutException)
        {
            // The thread stays until the server answers or dies.
            return FuseDeviceState.Unresponsive;
        }
    }
}
