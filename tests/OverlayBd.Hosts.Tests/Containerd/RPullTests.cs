// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>rpull of ordinary images: what containerd then holds, and what it does not when the pull fails.</summary>
public sealed class RPullTests(ContainerdFixture fixture) : IClassFixture<ContainerdFixture>
{
    private const string Overlayfs = "overlayfs";

    [Fact]
    public async Task RPull_OfOrdinaryImage_RunsInContainerd()
    {
        string digest = await PullAsync("default", fixture.ImageName);
        Assert.Equal(fixture.Image.Digest.ToString(), digest);
        Assert.Equal("hello from the image\n", await fixture.Daemon.CtrAsync("run", "--rm", fixture.ImageName, "rpull-runs"));
        await fixture.AssertNothingIsHeldAsync();
    }

    [Fact]
    public async Task RPull_LabelsContent_SoThatItIsKeptAndFound()
    {
        const string Space = "labels";
        await PullAsync(Space, fixture.ImageName, "--label", "team=blue", "--label", "stage=a=b");
        Manifest manifest = fixture.Image.Manifest;
        string config = await LineAsync(Space, manifest.Config.Digest);
        Assert.Contains("containerd.io/gc.ref.snapshot.overlayfs=sha256:", config, StringComparison.Ordinal);
        string document = await LineAsync(Space, fixture.Image.Digest);
        Assert.Contains($"containerd.io/gc.ref.content.config={manifest.Config.Digest}", document, StringComparison.Ordinal);
        Assert.Contains($"containerd.io/gc.ref.content.l.0={manifest.Layers[0].Digest}", document, StringComparison.Ordinal);
        Assert.Contains($"containerd.io/gc.ref.content.l.1={manifest.Layers[1].Digest}", document, StringComparison.Ordinal);
        string layer = await LineAsync(Space, manifest.Layers[1].Digest);
        Assert.Contains("containerd.io/uncompressed=sha256:", layer, StringComparison.Ordinal);
        Assert.Contains("containerd.io/distribution.source.127.0.0.1=app", layer, StringComparison.Ordinal);
        string image = Assert.Single(await fixture.Daemon.ListAsync("--namespace", Space, "images", "ls"));
        Assert.Contains("team=blue", image, StringComparison.Ordinal);
        Assert.Contains("stage=a=b", image, StringComparison.Ordinal);
        string[] check = await fixture.Daemon.ListAsync("--namespace", Space, "images", "check", "--snapshotter", Overlayfs);
        Assert.Contains("complete", Assert.Single(check), StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync(Space);
    }

    [Fact]
    public async Task RPull_Twice_FetchesNoLayerAgain()
    {
        await PullAsync("twice", fixture.ImageName);
        ProgramOutcome second = await fixture.RunAsync("rpull", "--namespace", "twice", "--snapshotter", Overlayfs, fixture.ImageName);
        Assert.Equal(0, second.Status);
        Assert.Equal(2, second.Error.Split('\n').Count(line => line.EndsWith("there already", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task RPull_OfBlobThatAnotherNamespaceHas_FetchesItNot()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        OrdinaryImage image = await OrdinaryImage.CreateAsync(seed: 5);
        string name = Fill(registry, image);
        await PullAsync("one", name);
        await PullAsync("other", name);
        Assert.Equal(1, registry.RequestsOf(image.Manifest.Layers[1].Digest));
        Assert.Equal("hello from the image\n", await fixture.Daemon.CtrAsync("--namespace", "other", "run", "--rm", name, "rpull-other"));
    }

    [Fact]
    public async Task RPull_OfIndex_KeepsTheIndexAsTheImage()
    {
        string name = fixture.Registry.Host + "/indexed:1";
        await fixture.Image.PushAsync(name, withIndex: true);
        string digest = await PullAsync("indexed", name);
        Assert.NotEqual(fixture.Image.Digest.ToString(), digest);
        string[] images = await fixture.Daemon.ListAsync("--namespace", "indexed", "images", "ls");
        Assert.Contains(digest, Assert.Single(images), StringComparison.Ordinal);
        Assert.Equal("hello from the image\n", await fixture.Daemon.CtrAsync("--namespace", "indexed", "run", "--rm", name, "rpull-index"));
    }

    [Fact]
    public async Task RPull_WithUser_LogsIn_AndSaysWhenItMayNot()
    {
        await using DockerRegistry registry = await DockerRegistry.StartAsync(authenticated: true);
        string name = registry.Host + "/app:1";
        await fixture.Image.PushAsync(name);
        ProgramOutcome refused = await fixture.RunAsync(
            "rpull", "--namespace", "user", "--snapshotter", Overlayfs, "--user", $"{DockerRegistry.UserName}:wrong-secret", name);
        Assert.Equal(1, refused.Status);
        Assert.DoesNotContain("wrong-secret", refused.Error, StringComparison.Ordinal);
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "user", "leases", "ls"));
        await PullAsync("user", name, "--user", $"{DockerRegistry.UserName}:{DockerRegistry.Password}");
    }

    [Fact]
    public async Task RPull_OfLayerThatIsNotItsDiffId_FailsAndLeavesNoImage()
    {
        OrdinaryImage wrong = await OrdinaryImage.CreateAsync(seed: 4, wrongDiffId: true);
        string name = fixture.Registry.Host + "/wrong:1";
        await wrong.PushAsync(name);
        ProgramOutcome outcome = await fixture.RunAsync("rpull", "--namespace", "wrong", "--snapshotter", Overlayfs, name);
        Assert.Equal(1, outcome.Status);
        Assert.Contains("layer 1", outcome.LastErrorLine, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("the image's config says", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "wrong", "images", "ls"));
        await fixture.AssertNothingIsHeldAsync("wrong");
    }

    [Fact]
    public async Task RPull_OfWrongBytes_FailsAndLeavesNoBlob()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        OrdinaryImage image = await OrdinaryImage.CreateAsync(seed: 1);
        Digest top = image.Manifest.Layers[1].Digest;
        string name = Fill(registry, image);
        registry.Inject(Fault.WrongBytes, int.MaxValue, request => request.Path.EndsWith(top.ToString(), StringComparison.Ordinal));
        ProgramOutcome outcome = await fixture.RunAsync("rpull", "--namespace", "bytes", "--snapshotter", Overlayfs, name);
        Assert.Equal(1, outcome.Status);
        Assert.Contains(top.ToString(), outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("bytes");
        string[] content = await fixture.Daemon.ListAsync("--namespace", "bytes", "content", "ls");
        Assert.DoesNotContain(content, line => line.StartsWith(top.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task RPull_Interrupted_LeavesNothing()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        OrdinaryImage image = await OrdinaryImage.CreateAsync(seed: 2);
        Digest top = image.Manifest.Layers[1].Digest;
        string name = Fill(registry, image);
        registry.Inject(Fault.StallAfter(1000), int.MaxValue, request => request.Path.EndsWith(top.ToString(), StringComparison.Ordinal));
        using Process process = fixture.Start("rpull", "--namespace", "stopped", "--snapshotter", Overlayfs, name);
        await Eventually.TrueAsync(() => registry.RequestsOf(top) > 0, "the layer is asked for");
        await CommandLineFixture.HostAsync("kill", "-INT", process.Id.ToString(CultureInfo.InvariantCulture));
        ProgramOutcome outcome = await CommandLineFixture.FinishAsync(process);
        Assert.Equal(1, outcome.Status);
        Assert.Equal("overlaybd rpull: interrupted; nothing was left behind", outcome.LastErrorLine);
        await fixture.AssertNothingIsHeldAsync("stopped");
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "stopped", "images", "ls"));
    }

    [Fact]
    public async Task RPull_TimedOut_SaysSo_AndLeavesNothing()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync();
        string name = Fill(registry, await OrdinaryImage.CreateAsync(seed: 3));
        registry.Inject(Fault.Hang, int.MaxValue);
        ProgramOutcome outcome = await fixture.RunAsync(
            "rpull", "--namespace", "late", "--timeout", "2s", "--snapshotter", Overlayfs, name);
        Assert.Equal(1, outcome.Status);
        Assert.Contains("--timeout", outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("late");
    }

    [Fact]
    public async Task RPull_OntoUnknownSnapshotter_NamesIt_BeforeAnythingIsFetched()
    {
        ProgramOutcome outcome = await fixture.RunAsync("rpull", "--namespace", "unknown", "--snapshotter", "nonsense", fixture.ImageName);
        Assert.Equal(1, outcome.Status);
        Assert.Contains("nonsense", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("Try: --snapshotter", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "unknown", "content", "ls"));
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "unknown", "leases", "ls"));
    }

    private Task<string> PullAsync(string space, string image, params string[] options) =>
        fixture.AnswerAsync("rpull", ["--namespace", space, "--snapshotter", Overlayfs, .. options, image]);

    private static string Fill(FaultyRegistry registry, OrdinaryImage image)
    {
        foreach ((Descriptor blob, byte[] content) in image.Blobs())
        {
            registry.AddBlob("app", content, blob.MediaType);
        }

        registry.AddManifest("app", "1", image.Document);
        return registry.Host + "/app:1";
    }

    private async Task<string> LineAsync(string space, Digest digest)
    {
        string[] content = await fixture.Daemon.ListAsync("--namespace", space, "content", "ls");
        return Assert.Single(content, line => line.StartsWith(digest.ToString(), StringComparison.Ordinal));
    }
}
