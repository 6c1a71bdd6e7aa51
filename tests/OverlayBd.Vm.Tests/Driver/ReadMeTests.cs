// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using OverlayBd.Format;
using OverlayBd.Tcmu;
using OverlayBd.Tcmu.ConfigFs;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>The sample of the library's README, run, and compared with it line by line.</summary>
public sealed class ReadMeTests
{
    [Fact]
    public async Task Sample_Works()
    {
        await using (FileBlockStore file = FileBlockStore.Create("/var/lib/disk.raw", 1024 * 1024))
        {
        }

        await using TcmuHandler handler = await TcmuHandler.StartAsync(new FileFactory(), new TcmuHandlerOptions { Subtype = "file" });

        var target = new TcmuTarget("1", new TcmuTargetOptions { Subtype = "file" });
        string disk = await target.AttachAsync("/var/lib/disk.raw"); // /dev/sda: mount it, read it
        Assert.Equal("1048576", await Shell.RunAsync("blockdev", "--getsize64", disk));
        await target.DetachAsync();
        Assert.Empty(GuestKernel.Devices);
    }

    [Fact]
    public void Sample_IsThisCode() => Compare();

    private static void Compare([CallerFilePath] string path = "")
    {
        string[] code = [.. File.ReadAllLines(path).Select(static line => line.Trim())];
        string readMe = File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "../../../src/OverlayBd.Tcmu/README.md"));
        string sample = readMe.Split("```csharp\n")[1].Split("```")[0];
        foreach (string line in sample.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            Assert.Contains(line, code);
        }
    }

    // Serves files: a device whose configuration is "file/<path>" shows that file.
    internal sealed class FileFactory : ITcmuDeviceFactory
    {
        public ValueTask<BlockStore> OpenAsync(TcmuDeviceInfo device, CancellationToken cancellationToken) =>
            new(FileBlockStore.Open(device.Configuration));
    }
}
