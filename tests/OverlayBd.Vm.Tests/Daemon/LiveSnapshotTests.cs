// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using OverlayBd.Format.Lsmt;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>The original's call for a live snapshot, made by curl.</summary>
[Collection<ImageInRegistry>]
public sealed class LiveSnapshotTests(RegistryImage image)
{
    private const string Address = "http://127.0.0.1:9862";

    [Fact]
    public async Task Snapshots_UnderLoad_LoseNothing()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync(
            new() { ["serviceConfig"] = new JsonObject { ["enable"] = true, ["address"] = Address } });
        image.WriteCredentials(daemon);
        string config = image.WriteConfig(daemon, upper: await CreateUpperAsync(daemon, 0));
        await using (ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, config + ";busy"))
        {
            using Process fio = Fio.Start(
                device.Path, "--rw=randwrite", "--bs=4k", "--size=32m", "--iodepth=8", "--fsync=64", "--verify=crc32c", "--verify_backlog=512", "--loops=4");
            Task<string> output = fio.StandardOutput.ReadToEndAsync();
            Task<string> error = fio.StandardError.ReadToEndAsync();
            for (int number = 1; number <= 3; number++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1));
                string next = await WriteNextAsync(daemon, config, number);
                Assert.Equal(
                    ("{\n        \"success\": true,\n        \"message\": \"Snapshot created successfully\"\n}", "200"),
                    await CurlAsync($"/snapshot?dev_id=busy&config={Uri.EscapeDataString(next)}"));
                Assert.False(File.Exists(next));
            }

            await fio.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
            Assert.True(fio.ExitCode == 0, $"{await output}\n{await error}\n{daemon.ReadLog()}");
            await Fio.RunAsync(
                device.Path, "--rw=write", "--bs=64k", "--offset=32m", "--size=8m", "--verify=crc32c", "--do_verify=0", "--end_fsync=1");
        }

        Assert.Equal(image.Manifest.Layers.Count + 3, JsonNode.Parse(await File.ReadAllTextAsync(config))!["lowers"]!.AsArray().Count);
        await using ConfigFsDevice again = await ConfigFsDevice.AttachAsync(1, config);
        await Fio.RunAsync(again.Path, "--rw=write", "--bs=64k", "--offset=32m", "--size=8m", "--verify=crc32c", "--verify_only=1");
    }

    [Fact]
    public async Task Requests_ThatCannotBeServed_GetTheOriginalsAnswers()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync(
            new() { ["serviceConfig"] = new JsonObject { ["enable"] = true, ["address"] = Address } });
        image.WriteCredentials(daemon);
        await using ConfigFsDevice device = await ConfigFsDevice.AttachAsync(1, image.WriteConfig(daemon) + ";fixed");
        const string Frame = "{{\n        \"success\": false,\n        \"message\": \"{0}\"\n}}";
        string missing = string.Format(Frame, "Missing dev_id or config in snapshot request");
        Assert.Equal((missing, "400"), await CurlAsync("/snapshot"));
        Assert.Equal((string.Format(Frame, "Image file not found"), "404"), await CurlAsync("/snapshot?dev_id=none&config=/x"));
        Assert.Equal((string.Format(Frame, "Failed to create snapshot`"), "500"), await CurlAsync("/snapshot?dev_id=fixed&config=/x"));

        // What an earlier request named is not taken for what this one does not name.
        Assert.Equal((missing, "400"), await CurlAsync("/snapshot?dev_id=fixed"));
        Assert.Equal("404", (await CurlAsync("/v1/devices")).Status);
    }

    private static async Task<(string Body, string Status)> CurlAsync(string path)
    {
        string answer = await Shell.RunAsync("curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "|%{http_code}", Address + path);
        int split = answer.LastIndexOf('|');
        return (answer[..split], answer[(split + 1)..]);
    }

    private static async Task<string> WriteNextAsync(BackstoreDaemon daemon, string config, int number)
    {
        JsonNode next = JsonNode.Parse(await File.ReadAllTextAsync(config))!;
        next["lowers"]!.AsArray().Add(new JsonObject { ["file"] = (string)next["upper"]!["data"]! });
        next["upper"] = await CreateUpperAsync(daemon, number);
        string path = $"{config}.{number}";
        await File.WriteAllTextAsync(path, next.ToJsonString());
        return path;
    }

    private static async Task<JsonObject> CreateUpperAsync(BackstoreDaemon daemon, int number)
    {
        string data = daemon[$"data-{number}"];
        string index = daemon[$"index-{number}"];
        LsmtWritableImage upper = await LsmtWritableImage.CreateAsync(data, index, new() { VirtualSize = RegistryImage.DiskSize });
        await upper.DisposeAsync();
        return new() { ["data"] = data, ["index"] = index };
    }
}
