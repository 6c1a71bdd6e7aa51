// SPDX-License-Identifier: Apache-2.0

using System.Text.RegularExpressions;
using OverlayBd.Format.Oci;
using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Testing;
using OverlayBd.Testing.Trees;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>One run of the demo, from making the image to its end, and what was found out about it meanwhile.</summary>
public sealed partial class DemoRecord : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();

    /// <summary>What the demo printed.</summary>
    internal string Output { get; private set; } = "";

    /// <summary>How the root of the converted image differs from what the original layers make.</summary>
    internal IReadOnlyList<string> Differences { get; private set; } = [];

    /// <summary>How many files were compared.</summary>
    internal int FileCount { get; private set; }

    /// <summary>What was left when it had ended.</summary>
    internal IReadOnlyList<string> Remains { get; private set; } = [];

    /// <summary>The demo's original image, as a reference.</summary>
    internal string Original => $"oci:{_directory["original"]}:demo";

    /// <summary>The folder with the programs.</summary>
    internal string ProgramFolder => _directory["bin"];

    public async ValueTask InitializeAsync()
    {
        Programs.Publish(ProgramFolder);
        await using DemoRun run = DemoRun.Start(ProgramFolder, "--keep");
        await run.WaitForAsync("Ctrl-C ends it");
        string converted = ConvertedPattern().Match(run.Output).Groups[1].Value;
        string original = converted.Replace(":overlaybd", ":original", StringComparison.Ordinal);
        await Shell.RunAsync("skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", $"docker://{original}", Original);
        await CompareAsync(converted);
        await run.InterruptAsync();
        Output = run.Output;
        Remains = await run.FindRemainsAsync();
    }

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task CompareAsync(string converted)
    {
        using var client = new RegistryClient(new RegistryClientOptions());
        await using ImageRepository layout = ImageLocation.Parse(Original).Open(client);
        Manifest manifest = (await layout.GetManifestAsync("demo")).AsManifest()!;
        var layers = new List<byte[]>();
        foreach (Descriptor layer in manifest.Layers)
        {
            layers.Add(await layout.ReadBlobAsync(layer, int.MaxValue));
        }

        ImageRepository registry = ImageLocation.Parse($"docker://{converted}").Open(client);
        manifest = (await registry.GetManifestAsync("overlaybd")).AsManifest()!;
        OverlayBdImage disk = await OverlayBdImage.OpenAsync(registry, manifest, new OverlayBdImageOptions());
        await using FuseBlockDevice device = await FuseBlockDevice.AttachAsync(
            disk, new FuseBlockDeviceOptions { Name = "demo", MountPoint = _directory["disk"], ReadOnly = true });
        await using KernelMount mount = await KernelMount.MountAsync(device.DevicePath, _directory["mount"], "ro");
        FileTree expected = FileTree.FromTars(layers);
        FileCount = expected.Nodes.Count;
        Differences = FileTree.Compare(expected, FileTree.FromDirectory(mount.Path));
    }

    [GeneratedRegex(@"overlaybd inspect (127\.0\.0\.1:\d+/demo:overlaybd)")]
    private static partial Regex ConvertedPattern();
}
