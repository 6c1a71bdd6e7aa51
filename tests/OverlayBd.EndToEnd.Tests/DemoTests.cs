// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using OverlayBd.Format.Oci;
using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Trees;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>The demo as a newcomer runs it, looked at while it is kept running, then ended with Ctrl-C.</summary>
public sealed partial class DemoTests
{
    private const int SIGINT = 2;
    private const double MaxSharePercent = 18;

    [Fact]
    public async Task Demo_StartsRedisFromAFractionOfTheBytes_EqualsTheOriginal_AndLeavesNothing()
    {
        using var temporary = new TempDirectory();
        await using DemoProcess demo = DemoProcess.Start("--keep");
        string output = await demo.ReadUntilAsync("Ctrl-C ends it", TestContext.Current.CancellationToken);

        Assert.Equal(3, PongLine().Count(output));
        Match share = ShareLine().Match(output);
        Assert.True(share.Success, output);
        Assert.InRange(double.Parse(share.Groups["percent"].Value, CultureInfo.InvariantCulture), 0.1, MaxSharePercent);
        string converted = ConvertedName().Match(output).Groups["name"].Value;
        await CompareAsync(converted[..converted.LastIndexOf(':')], temporary["mount"]);

        demo.Signal(SIGINT);
        await demo.Ended;
        AssertNothingIsLeft(demo);
    }

    [Fact]
    public async Task Demo_InterruptedInTheMiddle_LeavesNothing()
    {
        await using DemoProcess demo = DemoProcess.Start();
        await demo.ReadUntilAsync("layer 2 of 3", TestContext.Current.CancellationToken);
        demo.Signal(SIGINT);
        await demo.Ended;
        AssertNothingIsLeft(demo);
    }

    private static async Task CompareAsync(string repository, string mountPoint)
    {
        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository images = ImageLocation.Parse($"docker://{repository}:original").Open(client);
        var layers = new List<byte[]>();
        foreach (Descriptor layer in (await images.GetManifestAsync("original")).AsManifest()!.Layers)
        {
            layers.Add(await images.ReadBlobAsync(layer, int.MaxValue));
        }

        Manifest manifest = (await images.GetManifestAsync("overlaybd")).AsManifest()!;
        OverlayBdImage disk = await OverlayBdImage.OpenAsync(images, manifest, new OverlayBdImageOptions());
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(disk, new FuseBlockDeviceOptions { Name = "demo", ReadOnly = true });
        ShellResult check = await Shell.TryRunAsync("e2fsck", "-fn", device.DevicePath);
        Assert.True(check.ExitCode == 0, check.Output);
        await using KernelMount mount = await KernelMount.MountAsync(device.DevicePath, mountPoint, "ro");
        Assert.Empty(FileTree.Compare(FileTree.FromTars(layers), FileTree.FromDirectory(mount.Path)));
    }

    private static void AssertNothingIsLeft(DemoProcess demo)
    {
        Assert.False(Directory.Exists(demo.WorkDirectory), $"{demo.WorkDirectory} is left");
        Assert.DoesNotContain(demo.WorkDirectory, File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        foreach (Process process in Process.GetProcesses())
        {
            using (process)
            {
                Assert.DoesNotContain(demo.WorkDirectory, CommandLine(process.Id), StringComparison.Ordinal);
            }
        }
    }

    private static string CommandLine(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/cmdline") + File.ReadAllText($"/proc/{processId}/environ");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // has ended meanwhile
        }
    }

    [GeneratedRegex(@"^PONG after [0-9.]+ s", RegexOptions.Multiline)]
    private static partial Regex PongLine();

    [GeneratedRegex(@"^fetched .* \((?<percent>[0-9.]+) %\) in [0-9]+ requests before PONG", RegexOptions.Multiline)]
    private static partial Regex ShareLine();

    [GeneratedRegex(@"overlaybd inspect (?<name>\S+)")]
    private static partial Regex ConvertedName();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int processId, int signal);
}
