// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>Writes, discards and flushes of devices of the control API, with an upper of either kind.</summary>
[Collection<ImageInRegistry>]
public sealed class WritableDeviceTests(RegistryImage image, SharedBackstore shared) : IClassFixture<SharedBackstore>
{
    private static readonly string[] s_random = ["--rw=randwrite", "--bs=4k", "--iodepth=16", "--size=12m", "--verify=crc32c"];
    private static readonly string[] s_sequential = ["--rw=write", "--bs=64k", "--iodepth=4", "--offset=12m", "--size=12m", "--verify=crc32c"];
    private readonly BackstoreDaemon _daemon = shared.Daemon;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatWasWritten_IsThere_AfterDetachingAndAttachingAgain(bool sparse)
    {
        JsonObject request = Request($"fio-{sparse}", sparse);
        JsonNode device = (await _daemon.SendAsync(HttpMethod.Post, "devices", request))!;
        string disk = (string)device["devicePath"]!;
        await Fio.RunAsync(disk, [.. s_random, "--do_verify=0", "--end_fsync=1"]);
        using (Process discards = Fio.Start(disk, "--rw=randtrimwrite", "--bs=4k", "--offset=24m", "--size=16m"))
        {
            await Fio.RunAsync(disk, [.. s_sequential, "--do_verify=0", "--end_fsync=1"]);
            await discards.WaitForExitAsync().WaitAsync(Eventually.Patience);
            Assert.Equal(0, discards.ExitCode);
        }

        await Shell.RunAsync("blkdiscard", "--offset", $"{24 << 20}", "--length", $"{16 << 20}", disk);
        JsonNode statistics = await _daemon.GetAsync($"devices/{(string)device["id"]!}/stats");
        Assert.True((long)statistics["discards"]! > 0);
        Assert.Equal(0, (long)statistics["errors"]!);
        await _daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
        Assert.Empty(GuestKernel.Devices);

        device = (await _daemon.SendAsync(HttpMethod.Post, "devices", request))!;
        disk = (string)device["devicePath"]!;
        await Fio.RunAsync(disk, [.. s_random, "--verify_only=1"]);
        await Fio.RunAsync(disk, [.. s_sequential, "--verify_only=1"]);
        await Shell.RunAsync("cmp", "--bytes", $"{16 << 20}", "--ignore-initial", $"{24 << 20}:0", disk, "/dev/zero");
        await _daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FileSystem_IsClean_AfterFilesWereChangedAndTrimmed(bool sparse)
    {
        JsonObject request = Request($"files-{sparse}", sparse);
        JsonNode device = (await _daemon.SendAsync(HttpMethod.Post, "devices", request))!;
        string disk = (string)device["devicePath"]!;
        await using (FileSystem files = await FileSystem.MountAsync(disk, "discard"))
        {
            // Not from below a mounted file system, without being told to.
            (int status, JsonNode? answer) = await _daemon.TrySendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
            Assert.Equal(409, status);
            Assert.Contains(files.Path, (string?)answer!["error"]!["message"], StringComparison.Ordinal);

            await File.WriteAllBytesAsync(Path.Combine(files.Path, "new"), image.Read(0, 8 << 20));
            File.Delete(Path.Combine(files.Path, "small"));
            await Shell.RunAsync("fstrim", files.Path);
            await files.UnmountAsync();
        }

        await _daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
        device = (await _daemon.SendAsync(HttpMethod.Post, "devices", request))!;
        disk = (string)device["devicePath"]!;
        await Shell.RunAsync("e2fsck", "-fn", disk);
        await using (FileSystem files = await FileSystem.MountAsync(disk, "ro"))
        {
            byte[] found = await File.ReadAllBytesAsync(Path.Combine(files.Path, "new"));
            Assert.True(found.AsSpan().SequenceEqual(image.Read(0, 8 << 20)));
            Assert.False(File.Exists(Path.Combine(files.Path, "small")));
            await files.UnmountAsync();
        }

        await _daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    [Fact]
    public async Task Resize_IsSeenByTheKernel()
    {
        JsonNode device = (await _daemon.SendAsync(HttpMethod.Post, "devices", Request("resized")))!;
        string disk = (string)device["devicePath"]!;
        string id = (string)device["id"]!;
        JsonNode resized = (await _daemon.SendAsync(HttpMethod.Post, $"devices/{id}/resize", new JsonObject { ["size"] = 128 << 20 }))!;
        Assert.Equal(128 << 20, (long)resized["size"]!);
        Assert.Equal($"{128 << 20}", await Shell.RunAsync("blockdev", "--getsize64", disk));
        await Fio.RunAsync(disk, "--verify=crc32c", "--rw=write", "--bs=64k", "--offset=120m", "--size=8m");
        (int status, JsonNode? answer) = await _daemon.TrySendAsync(HttpMethod.Post, $"devices/{id}/resize", new JsonObject { ["size"] = 4096 });
        Assert.Equal(400, status);
        Assert.Contains("size", (string?)answer!["error"]!["message"], StringComparison.Ordinal);
        await _daemon.SendAsync(HttpMethod.Delete, $"devices/{id}");
    }

    private JsonObject Request(string name, bool sparse = false) => new()
    {
        ["image"] = image.Name,
        ["upper"] = new JsonObject { ["data"] = _daemon[$"{name}.data"], ["index"] = _daemon[$"{name}.index"], ["sparse"] = sparse },
    };
}
