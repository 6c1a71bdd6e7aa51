// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>The image of <c>./build.sh demo</c>, served through TCMU while its blocks are fetched.</summary>
public sealed class DemoImageTests
{
    private const string Port = "26379";

    /// <summary>Where the image was left before the guest started, which has no network to make it with.</summary>
    private static string Layout => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "demo-image"));

    [Fact]
    public async Task Redis_AnswersPong_WithASmallPartFetched()
    {
        Assert.True(Directory.Exists(Layout), $"{Layout} is missing; demo/demo.sh --image-only {Layout} makes it.");
        await using DockerRegistry registry = await DockerRegistry.StartAsync();
        Manifest manifest = await ConvertAsync(registry);
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        JsonObject config = new()
        {
            ["repoBlobUrl"] = $"http://{registry.Host}/v2/demo/blobs",
            ["lowers"] = new JsonArray([.. manifest.Layers.Select((Descriptor layer) => (JsonNode)new JsonObject
            {
                ["digest"] = layer.Digest.ToString(),
                ["size"] = layer.Size,
            })]),
            ["resultFile"] = daemon["result"],
        };
        await File.WriteAllTextAsync(daemon["config.v1.json"], config.ToJsonString());
        await using ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, daemon["config.v1.json"] + ";redis");
        await using FileSystem root = await FileSystem.MountAsync(device.Path, "ro");
        string[] arguments = [root.Path, "/usr/bin/redis-server", "--port", Port, "--bind", "127.0.0.1", "--save", ""];
        using Process redis = Process.Start(new ProcessStartInfo("chroot", arguments) { RedirectStandardOutput = true })!;
        try
        {
            Task<string> output = redis.StandardOutput.ReadToEndAsync();
            await Wait.UntilAsync(() => redis.HasExited || Ping() == "PONG", "redis answers");
            Assert.False(redis.HasExited, redis.HasExited ? await output : null);
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
        }

        JsonNode statistics = await daemon.GetAsync("devices/redis/stats");
        Assert.Equal(0, (long)statistics["errors"]!);
        Assert.InRange((long)statistics["fetchedBytes"]!, 1, (long)statistics["storedBytes"]! / 4);
        await root.UnmountAsync();
    }

    private static async Task<Manifest> ConvertAsync(DockerRegistry registry)
    {
        using RegistryClient client = new(new RegistryClientOptions());
        await using ImageRepository source = ImageLocation.Parse($"oci:{Layout}:demo").Open(client);
        await using ImageRepository target = ImageLocation.Parse($"docker://{registry.Host}/demo:obd").Open(client);
        await ImageConverter.ConvertAsync(source, "demo", target, "obd", new ImageConverterOptions());
        return (await target.GetManifestAsync("obd")).AsManifest()!;
    }

    private static string Ping()
    {
        using Process client = Process.Start(new ProcessStartInfo("redis-cli", ["-h", "127.0.0.1", "-p", Port, "ping"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string answer = client.StandardOutput.ReadToEnd().Trim();
        client.WaitForExit();
        return answer;
    }
}
