// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Mounting;
using OverlayBd.Fuse.Tests.Infrastructure;
using OverlayBd.Testing;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests.Mounting;

public sealed class FuseMountTests
{
    [Fact]
    public async Task Abort_OfAMountThatIsGone_LeavesTheOneThatHasItsNumberNowAlone()
    {
        using var directory = new TempDirectory();
        File.Create(directory["disk"]).Dispose();
        for (int attempt = 0; attempt < 20; attempt++)
        {
            using FileDescriptor connection = FileDescriptor.Open("/dev/fuse", LibC.O_RDWR);
            using FuseMount gone = FuseMount.Create("gone", directory["disk"], connection.Value, readOnly: true);
            Assert.True(await BlockingCall.RunAsync(() => gone.TryUnmount(lazily: true)));
            await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(new ArrayBlockStore(1 << 20, 1));
            if (MountTable.Read().FindAt(device.MountPoint)!.Minor != gone.Minor)
            {
                continue; // somebody else got the number
            }

            gone.Abort();
            using (var direct = new DirectFile(device.DevicePath))
            {
                await direct.ReadAsync(0, 4096);
            }

            await device.DetachAsync(TestContext.Current.CancellationToken);
            Assert.True(device.Completion.IsCompletedSuccessfully, $"{device.Completion.Exception}");
            return;
        }

        Assert.Fail("the kernel gave the number to nobody");
    }

    [Fact]
    public void Abort_EndsTheConnection()
    {
        using var directory = new TempDirectory();
        File.Create(directory["disk"]).Dispose();
        using FileDescriptor connection = FileDescriptor.Open("/dev/fuse", LibC.O_RDWR);
        using FuseMount mount = FuseMount.Create("aborted", directory["disk"], connection.Value, readOnly: true);
        try
        {
            mount.Abort();
            Assert.Equal(LibC.ENOTCONN, LinuxCalls.CheckFileSystem(directory["disk"]));
        }
        finally
        {
            Assert.True(mount.TryUnmount(lazily: true));
        }
    }
}
