// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text.Json.Nodes;
using OverlayBd.Testing.Registries;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>What readers of a TCMU device see while the registry does wrong, and after.</summary>
[Collection<ImageInRegistry>]
public sealed class RegistryFaultTests(RegistryImage image) : IAsyncDisposable
{
    private const int Piece = 256 * 1024;

    public ValueTask DisposeAsync()
    {
        image.Registry.ClearFaults();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("500")]
    [InlineData("reset")]
    [InlineData("stall")]
    [InlineData("wrong bytes")]
    public async Task Reads_DuringAFault_AreRightOrFailInTime_AndSucceedAfterIt(string what)
    {
        Fault fault = what switch
        {
            "500" => Fault.Status(500),
            "reset" => Fault.CloseAfter(20_000),
            "stall" => Fault.StallAfter(20_000),
            _ => Fault.WrongBytes,
        };
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync(Timeout(5));
        image.WriteCredentials(daemon);
        JsonNode device = (await daemon.SendAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name }))!;
        string disk = (string)device["devicePath"]!;
        image.Registry.Inject(fault, int.MaxValue);

        // Four readers at once, each of a part that nobody has fetched.
        long start = Stopwatch.GetTimestamp();
        int[] failures = await Task.WhenAll(image.Parts.Take(4).Select(part => ReadAsync(daemon, disk, part)));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(100), "the reads took too long");
        Assert.True(failures.Sum() > 0, "no read met the fault");

        image.Registry.ClearFaults();
        await Wait.UntilAsync(() => ReadAsync(daemon, disk, image.Parts).GetAwaiter().GetResult() == 0, "reads succeed after the fault");
        Assert.True((long)(await daemon.GetAsync($"devices/{(string)device["id"]!}/stats"))["errors"]! > 0);
        await daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    [Fact]
    public async Task Reads_AfterTheTokenHasExpired_GetANewOne()
    {
        await using BackstoreDaemon daemon = await BackstoreDaemon.RunAsync();
        image.WriteCredentials(daemon);
        JsonNode device = (await daemon.SendAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name }))!;
        string disk = (string)device["devicePath"]!;
        int tokens = image.Registry.TokenRequests.Count;
        foreach (long part in image.Parts.Take(5))
        {
            image.Registry.ExpireTokens();
            Assert.Equal(0, await ReadAsync(daemon, disk, part));
        }

        Assert.True(image.Registry.TokenRequests.Count > tokens);
        Assert.Equal(0, (long)(await daemon.GetAsync($"devices/{(string)device["id"]!}/stats"))["errors"]!);
        await daemon.SendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}");
    }

    private static JsonObject Timeout(int seconds) => new()
    {
        ["backstoreConfig"] = new JsonObject { ["requestTimeout"] = seconds },
    };

    /// <summary>Reads a piece at each of some places, past the page cache; those that can be read are right.</summary>
    /// <returns>How many failed.</returns>
    private async Task<int> ReadAsync(BackstoreDaemon daemon, string disk, params IEnumerable<long> offsets)
    {
        int failures = 0;
        foreach (long offset in offsets)
        {
            string file = daemon[$"read-{offset}"];
            ShellResult result = await Shell.TryRunAsync(
                "dd", $"if={disk}", $"of={file}", $"bs={Piece}", "count=1", $"skip={offset / Piece}", "iflag=direct", "status=none");
            if (result.ExitCode != 0)
            {
                Assert.Contains("Input/output error", result.Error, StringComparison.Ordinal);
                failures++;
                continue;
            }

            byte[] found = await File.ReadAllBytesAsync(file);
            Assert.True(found.AsSpan().SequenceEqual(image.Read(offset, Piece)), $"the bytes at {offset} are wrong");
        }

        return failures;
    }
}
