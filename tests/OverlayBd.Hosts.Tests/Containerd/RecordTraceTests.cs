// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>record-trace as far as it needs no device: the acceleration layer of a list, and what is refused.</summary>
public sealed class RecordTraceTests(ContainerdFixture fixture) : IClassFixture<ContainerdFixture>
{
    private const string Converted = "converted:1";

    [Fact]
    public async Task RecordTrace_OfList_PutsItOnTop()
    {
        const string Space = "list";
        string digest = await AddListAsync(Space, "/bin/sh\n/etc/hello\n");
        Manifest below = await ManifestAsync(Space, await ConvertedDigestAsync(Space));
        Manifest manifest = await ManifestAsync(Space, digest);
        Assert.Equal(below.Layers.Select(layer => layer.Digest), manifest.Layers.SkipLast(1).Select(layer => layer.Digest));
        Descriptor top = manifest.Layers[^1];
        Assert.Equal(MediaTypes.OciLayer, top.MediaType);
        Assert.Equal("yes", top.Annotations![OverlayBdAnnotations.AccelerationLayer]);
        Assert.Equal(top.Digest.ToString(), top.Annotations[OverlayBdAnnotations.BlobDigest]);
        Assert.Equal(OverlayBdAnnotations.NativeVersion, top.Annotations[OverlayBdAnnotations.Version]);

        ImageDocument config = OciJson.ReadImageDocument(await BlobAsync(Space, manifest.Config.Digest), "config");
        Assert.Equal(manifest.Layers.Select(layer => layer.Digest), config.RootFs.DiffIds);
        Assert.Equal("Acceleration Layer", config.History![^1].CreatedBy);

        string tar = fixture["layer.tar"];
        await File.WriteAllBytesAsync(tar, await BlobAsync(Space, top.Digest), TestContext.Current.CancellationToken);
        Assert.Equal("trace\n", await CommandLineFixture.HostAsync("tar", "-tf", tar));
        Assert.Equal("/bin/sh\n/etc/hello\n", await CommandLineFixture.HostAsync("tar", "-xOf", tar, "trace"));
        await fixture.AssertNothingIsHeldAsync(Space);
        Assert.Empty(Directory.GetFileSystemEntries(fixture[Space]));
    }

    [Fact]
    public async Task RecordTrace_OfList_SurvivesGarbageCollection()
    {
        const string Space = "list-collect";
        string digest = await AddListAsync(Space, "/bin/sh\n");
        await fixture.Daemon.CtrAsync("--namespace", Space, "images", "rm", "--sync", fixture.ImageName, Converted);
        string[] content = await fixture.Daemon.ListAsync("--namespace", Space, "content", "ls");
        Manifest manifest = await ManifestAsync(Space, digest);
        Assert.Equal(manifest.Layers.Count + 2, content.Length);
    }

    [Fact]
    public async Task RecordTrace_OfAcceleratedImage_IsRefused()
    {
        await AddListAsync("accelerated", "/bin/sh\n");
        ProgramOutcome outcome = await RecordAsync("accelerated", "made:1", "made:2");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("made:1 has an acceleration layer already", outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("accelerated");
    }

    [Fact]
    public async Task RecordTrace_OntoExistingName_IsRefused()
    {
        await ConvertAsync("existing");
        ProgramOutcome outcome = await RecordAsync("existing", Converted, fixture.ImageName);
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"containerd has an image {fixture.ImageName} already", outcome.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecordTrace_OfOrdinaryImage_IsRefused()
    {
        await ConvertAsync("ordinary");
        ProgramOutcome outcome = await RecordAsync("ordinary", fixture.ImageName, "made:1");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("is not an overlaybd image", outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("ordinary");
    }

    [Fact]
    public async Task RecordTrace_OnSnapshotterThatRecordsNothing_SaysSo_AndLeavesNothing()
    {
        await ConvertAsync("nothing");
        ProgramOutcome outcome = await RecordAsync("nothing", Converted, "made:1", "--time", "2", "--disable-network-isolation");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("No device records " + Converted, outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("nothing");
        Assert.Empty(Directory.GetFileSystemEntries(fixture["nothing"]));
    }

    private Task<ProgramOutcome> RecordAsync(string space, string source, string target, params string[] options) => fixture.RunAsync(
        "record-trace",
        ["--namespace", space, "--snapshotter", "overlayfs", "--working-dir", fixture[space], .. options, source, target]);

    private async Task<string> AddListAsync(string space, string list)
    {
        await ConvertAsync(space);
        string file = fixture[space + ".list"];
        await File.WriteAllTextAsync(file, list, TestContext.Current.CancellationToken);
        return await fixture.AnswerAsync(
            "record-trace", "--namespace", space, "--working-dir", fixture[space], "--priority_list", file, Converted, "made:1");
    }

    private async Task ConvertAsync(string space)
    {
        await fixture.AnswerAsync("rpull", "--namespace", space, "--snapshotter", "overlayfs", fixture.ImageName);
        await fixture.AnswerAsync("obdconv", "--namespace", space, fixture.ImageName, Converted);
    }

    private async Task<string> ConvertedDigestAsync(string space)
    {
        string[] rows = await fixture.Daemon.ListAsync("--namespace", space, "images", "ls");
        return Assert.Single(rows, row => row.StartsWith(Converted, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).First(word => word.StartsWith("sha256:", StringComparison.Ordinal));
    }

    private async Task<Manifest> ManifestAsync(string space, string digest) =>
        OciJson.ReadManifest(await BlobAsync(space, Digest.Parse(digest)), "the manifest");

    /// <summary>A blob that is text, or zeros besides, as the list's layer is.</summary>
    private async Task<byte[]> BlobAsync(string space, Digest digest) =>
        Encoding.UTF8.GetBytes(await fixture.Daemon.CtrAsync("--namespace", space, "content", "get", digest.ToString()));
}
