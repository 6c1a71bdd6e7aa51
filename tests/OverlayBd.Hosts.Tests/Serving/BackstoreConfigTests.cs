// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Hosts.Tests.Serving;

/// <summary>overlaybd.json as the daemon's <c>--check-config</c> judges it.</summary>
public sealed class BackstoreConfigTests : IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Fact]
    public async Task Sample_IsGood_AndSilent()
    {
        ProgramOutcome outcome = await CheckAsync(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Golden", "overlaybd.json")));
        Assert.Equal(0, outcome.Status);
        Assert.Empty(outcome.Error);
    }

    [Theory]
    [InlineData("""{"unheardOf": 1}""", "unheardOf")]
    [InlineData("""{"cacheConfig": {"cacheType": "ocf"}}""", "cacheConfig.cacheType")]
    [InlineData("""{"enableThread": true}""", "enableThread")]
    [InlineData("""{"ioEngine": 1}""", "ioEngine")]
    [InlineData("""{"p2pConfig": {"enable": true, "address": "http://127.0.0.1:1/x"}}""", "p2pConfig")]
    [InlineData("""{"gzipCacheConfig": {"enable": true}}""", "gzipCacheConfig")]
    [InlineData("""{"registryFsVersion": "v1"}""", "registryFsVersion")]
    public async Task WhatHasNoEffect_IsWarnedOf(string config, string field)
    {
        ProgramOutcome outcome = await CheckAsync(config);
        Assert.Equal(0, outcome.Status);
        Assert.Contains(field, Assert.Single(outcome.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ioEngine": 7}""", "ioEngine")]
    [InlineData("""{"cacheConfig": {"cacheSizeGB": "big"}}""", "cacheSizeGB")]
    [InlineData("""{"backstoreConfig": {"device": "nbd"}}""", "backstoreConfig.device")]
    [InlineData("""{"serviceConfig": {"address": "http://localhost:1"}}""", "serviceConfig.address")]
    [InlineData("not json", "overlaybd.json")]
    public async Task WhatMakesNoSense_IsRefused_AndNamed(string config, string field)
    {
        ProgramOutcome outcome = await CheckAsync(config);
        Assert.Equal(1, outcome.Status);
        Assert.Contains(field, outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingFile_IsNamed()
    {
        ProgramOutcome outcome = await RunAsync("--config", _fixture["nowhere.json"], "--check-config");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("nowhere.json", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tcmu_WhereTheKernelHasNone_IsAStartUpError()
    {
        if (Directory.Exists("/sys/module/target_core_user"))
        {
            return; // tests/OverlayBd.Vm.Tests has the other case
        }

        ProgramOutcome outcome = await RunAsync("--run-dir", _fixture.RunDirectory, "--cache-dir", _fixture["cache"], "--device", "tcmu");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("target_core_user", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    public void Dispose() => _fixture.Dispose();

    private static async Task<ProgramOutcome> RunAsync(params string[] arguments)
    {
        using Process process = CommandLineFixture.StartProgram(Path.Combine(AppContext.BaseDirectory, "overlaybd-backstore"), arguments);
        return await CommandLineFixture.FinishAsync(process);
    }

    private async Task<ProgramOutcome> CheckAsync(string config)
    {
        string path = _fixture["overlaybd.json"];
        await File.WriteAllTextAsync(path, config);
        return await RunAsync("--config", path, "--check-config");
    }
}
