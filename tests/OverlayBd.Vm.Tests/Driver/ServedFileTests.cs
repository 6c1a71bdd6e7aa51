// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Driver;

/// <summary>A file of random bytes as a disk.</summary>
public sealed class ServedFileTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Disk_HasTheBytesOfTheFile()
    {
        byte[] content = new byte[64 * 1024 * 1024];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(_directory["disk"], content);
        await using TcmuServer server = await TcmuServer.StartAsync();
        TcmuDisk disk = await server.AttachAsync(_directory["disk"]);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), await disk.Sha256Async());
        Assert.Equal(content.Length, disk.Number("size") * 512);
        Assert.True(disk.Statistics.ReadBytes >= content.Length);
        Assert.Equal(0, disk.Statistics.Errors);
    }
}
