// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing.Registries;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>A containerd, a registry with an ordinary image, and the program. The tests of a class use namespaces of their own.</summary>
public sealed class ContainerdFixture : IAsyncLifetime
{
    private readonly CommandLineFixture _program = new();

    public ContainerdDaemon Daemon { get; private set; } = null!;

    public DockerRegistry Registry { get; private set; } = null!;

    internal OrdinaryImage Image { get; private set; } = null!;

    /// <summary>The ordinary image's name in the registry.</summary>
    public string ImageName => Registry.Host + "/app:1";

    public string this[string name] => _program[name];

    public async ValueTask InitializeAsync()
    {
        Image = await OrdinaryImage.CreateAsync();
        Registry = await DockerRegistry.StartAsync();
        Daemon = await ContainerdDaemon.StartAsync();
        await Image.PushAsync(ImageName);
    }

    public async ValueTask DisposeAsync()
    {
        await Daemon.DisposeAsync();
        await Registry.DisposeAsync();
        _program.Dispose();
    }

    /// <summary>Runs a verb on this containerd.</summary>
    internal Task<ProgramOutcome> RunAsync(string verb, params string[] arguments) =>
        _program.RunAsync([verb, "--address", Daemon.Address, .. arguments]);

    /// <summary>Runs a verb that must succeed, on this containerd.</summary>
    internal Task<string> AnswerAsync(string verb, params string[] arguments) =>
        _program.AnswerAsync([verb, "--address", Daemon.Address, .. arguments]);

    internal System.Diagnostics.Process Start(string verb, params string[] arguments) =>
        _program.Start([verb, "--address", Daemon.Address, .. arguments]);

    /// <summary>Runs a verb that needs no containerd, and must succeed.</summary>
    internal Task<string> AnswerPlainAsync(params string[] arguments) => _program.AnswerAsync(arguments);

    /// <summary>Nothing that a verb held while it ran is there any more.</summary>
    internal async Task AssertNothingIsHeldAsync(string containerdNamespace = "default", string snapshotter = "overlayfs")
    {
        Assert.Empty(await Daemon.ListAsync("--namespace", containerdNamespace, "leases", "ls"));
        string[] snapshots = await Daemon.ListAsync("--namespace", containerdNamespace, "snapshots", "--snapshotter", snapshotter, "ls");
        Assert.DoesNotContain(snapshots, line => line.TrimEnd().EndsWith("Active", StringComparison.Ordinal));
        Assert.Empty(await Daemon.ListAsync("--namespace", containerdNamespace, "content", "active"));
        Assert.Empty(await Daemon.ListAsync("--namespace", containerdNamespace, "containers", "ls"));
    }
}
