// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Hosts.Tests.Containerd;

/// <summary>obdconv: the same image as convert makes, kept by containerd's garbage collection.</summary>
public sealed class ObdConvTests(ContainerdFixture fixture) : IClassFixture<ContainerdFixture>
{
    [Theory]
    [InlineData("equal-lz4", new string[0], new string[0])]
    [InlineData(
        "equal-zstd",
        new[] { "--algorithm", "zstd", "--bs", "64", "--vsize", "8" },
        new[] { "--algorithm", "zstd", "--block-size", "65536", "--vsize", "8" })]
    public async Task ObdConv_MakesWhatConvertMakes(string space, string[] options, string[] convertOptions)
    {
        string digest = await ConvertAsync(space, options);
        string layout = $"oci:{fixture[space]}:made";
        string expected = await fixture.AnswerPlainAsync(["convert", .. convertOptions, "docker://" + fixture.ImageName, layout]);
        Assert.Equal(expected, digest);
        Manifest manifest = await ManifestAsync(space, digest);
        Assert.All(manifest.Layers, layer => Assert.Equal(layer.Digest.ToString(), layer.Annotations![OverlayBdAnnotations.BlobDigest]));
        await fixture.AssertNothingIsHeldAsync(space);
    }

    [Fact]
    public async Task ObdConv_Result_CanBeExportedAndVerified()
    {
        await ConvertAsync("export");
        string archive = fixture["exported.tar"];
        await fixture.Daemon.CtrAsync("--namespace", "export", "images", "export", archive, "converted:1");
        string layout = fixture["exported"];
        Directory.CreateDirectory(layout);
        await CommandLineFixture.HostAsync("tar", "-xf", archive, "-C", layout);
        await fixture.AnswerPlainAsync("verify", "oci:" + layout);
    }

    [Fact]
    public async Task ObdConv_Result_SurvivesGarbageCollection_AndTheOriginalDoesNot()
    {
        const string Space = "collect";
        string digest = await ConvertAsync(Space);
        await fixture.Daemon.CtrAsync("--namespace", Space, "images", "rm", "--sync", fixture.ImageName);
        string[] content = await fixture.Daemon.ListAsync("--namespace", Space, "content", "ls");
        Manifest manifest = await ManifestAsync(Space, digest);
        Descriptor[] kept = [.. manifest.Layers, manifest.Config];
        Assert.Equal(kept.Length + 1, content.Length);
        Assert.All(kept, blob => Assert.Contains(content, line => line.StartsWith(blob.Digest.ToString(), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ObdConv_KeepsTheLabelsOfTheImage()
    {
        const string Space = "kept-labels";
        await PullAsync(Space, "--label", "team=blue");
        await fixture.AnswerAsync("obdconv", "--namespace", Space, fixture.ImageName, "converted:1");
        string[] rows = await fixture.Daemon.ListAsync("--namespace", Space, "images", "ls");
        string line = Assert.Single(rows, row => row.StartsWith("converted:1", StringComparison.Ordinal));
        Assert.Contains("team=blue", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ObdConv_OfImageWithoutItsLayers_NamesTheBlob_AndLeavesNothing()
    {
        const string Space = "missing";
        await PullAsync(Space);
        Digest layer = fixture.Image.Manifest.Layers[1].Digest;
        await fixture.Daemon.CtrAsync("--namespace", Space, "content", "rm", layer.ToString());
        ProgramOutcome outcome = await fixture.RunAsync("obdconv", "--namespace", Space, fixture.ImageName, "converted:1");
        Assert.Equal(1, outcome.Status);
        Assert.Contains(layer.ToString(), outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("Try: ctr content fetch", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Single(await fixture.Daemon.ListAsync("--namespace", Space, "images", "ls"));
        await fixture.AssertNothingIsHeldAsync(Space);
    }

    [Fact]
    public async Task ObdConv_InNamespaceThatIsMissing_NamesImageAndNamespace()
    {
        ProgramOutcome outcome = await fixture.RunAsync("obdconv", "--namespace", "nobody", fixture.ImageName, "converted:1");
        Assert.Equal(1, outcome.Status);
        Assert.Contains($"has no image {fixture.ImageName} in the namespace nobody", outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Empty(await fixture.Daemon.ListAsync("--namespace", "nobody", "leases", "ls"));
    }

    [Fact]
    public async Task ObdConv_OfConvertedImage_IsRefused()
    {
        await ConvertAsync("again");
        ProgramOutcome outcome = await fixture.RunAsync("obdconv", "--namespace", "again", "converted:1", "converted:2");
        Assert.Equal(1, outcome.Status);
        Assert.Contains("is an overlaybd image already", outcome.LastErrorLine, StringComparison.Ordinal);
        await fixture.AssertNothingIsHeldAsync("again");
    }

    private Task<string> PullAsync(string space, params string[] options) =>
        fixture.AnswerAsync("rpull", ["--namespace", space, "--snapshotter", "overlayfs", .. options, fixture.ImageName]);

    private async Task<string> ConvertAsync(string space, params string[] options)
    {
        await PullAsync(space);
        return await fixture.AnswerAsync("obdconv", ["--namespace", space, .. options, fixture.ImageName, "converted:1"]);
    }

    private async Task<Manifest> ManifestAsync(string space, string digest)
    {
        string document = await fixture.Daemon.CtrAsync("--namespace", space, "content", "get", digest);
        return OciJson.ReadManifest(System.Text.Encoding.UTF8.GetBytes(document), "the converted manifest");
    }
}
