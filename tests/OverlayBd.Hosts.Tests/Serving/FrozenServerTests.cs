// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Serving;

public sealed class FrozenServerTests(TestImage image) : IClassFixture<TestImage>
{
    [Fact]
    public async Task Server_StartsAttachesAndDetaches_WhileAnotherOneIsFrozen()
    {
        await using RunningDaemon frozen = new();
        await frozen.StartAsync();
        await frozen.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name });
        await CommandLineFixture.HostAsync("kill", "-STOP", $"{frozen.ProcessId}");
        try
        {
            await using RunningDaemon other = new();
            await other.StartAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            JsonNode device = (await other.AskAsync(HttpMethod.Post, "devices", new JsonObject { ["image"] = image.Name })
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))!;
            await CommandLineFixture.HostAsync("cmp", (string)device["devicePath"]!, image.RawDisk);
            await other.AskAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}")
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        finally
        {
            await CommandLineFixture.HostAsync("kill", "-CONT", $"{frozen.ProcessId}");
        }
    }
}
