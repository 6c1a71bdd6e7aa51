// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace OverlayBd.Hosts.Tests.Commands;

/// <summary>The verbs that read an image without making a device of it.</summary>
public sealed class ReadingCommandTests(TestImage image) : IClassFixture<TestImage>, IDisposable
{
    private readonly CommandLineFixture _fixture = new();

    [Fact]
    public async Task Inspect_OfImage_TellsItsLayers()
    {
        JsonNode report = JsonNode.Parse(await _fixture.AnswerAsync("inspect", "--json", image.Name))!;
        JsonNode layer = report["layers"]!.AsArray().Single()!;
        Assert.Equal("zfile(lsmt)", (string?)layer["format"]);
        Assert.Equal(64L << 20, (long)layer["lsmt"]!["virtualSize"]!);
        Assert.Contains("overlaybd", await _fixture.AnswerAsync("inspect", image.Name), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_OfFile_TellsHeaderIndexAndJumpTable()
    {
        string file = CommandLineFixture.Golden("layer0.commit.tar");
        JsonNode report = JsonNode.Parse(await _fixture.AnswerAsync("inspect", "--json", file))!;
        Assert.Equal("tar(zfile(lsmt))", (string?)report["format"]);
        Assert.Equal(615, (int)report["zFile"]!["blockCount"]!);
        Assert.Equal(11, (int)report["lsmt"]!["mappingCount"]!);
        Assert.Equal(1 + 11, (await _fixture.AnswerAsync("inspect", "--index", file)).Split('\n').Length);
        Assert.Equal(1 + 615, (await _fixture.AnswerAsync("inspect", "--jump-table", file)).Split('\n').Length);
    }

    [Fact]
    public async Task Export_Raw_IsTheDiskAndSparse()
    {
        string file = _fixture["exported.raw"];
        await _fixture.AnswerAsync("export", image.Name, file);
        await CommandLineFixture.HostAsync("cmp", file, image.RawDisk);
        long allocated = long.Parse(
            await CommandLineFixture.HostAsync("stat", "--format=%b", file), System.Globalization.CultureInfo.InvariantCulture) * 512;
        Assert.True(allocated < new FileInfo(file).Length / 2);
    }

    [Fact]
    public async Task Export_Tar_HasTheFiles()
    {
        string file = _fixture["exported.tar"];
        await _fixture.AnswerAsync("export", "--format", "tar", image.Name, file);
        Assert.Equal("hello from the image\n", await CommandLineFixture.HostAsync("tar", "-xOf", file, "./etc/hello"));
    }

    [Fact]
    public async Task Export_ThatFails_LeavesNoFile()
    {
        string file = _fixture["exported.raw"];
        ProgramOutcome outcome = await _fixture.RunAsync("export", "oci:/nonexistent", file);
        Assert.Equal(1, outcome.Status);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(file)!, "exported*"));
    }

    [Fact]
    public async Task Verify_OfGoodImageAndFile_Succeeds()
    {
        await _fixture.AnswerAsync("verify", image.Name);
        await _fixture.AnswerAsync("verify", CommandLineFixture.Golden("layer0.commit.tar"));
    }

    [Fact]
    public async Task Verify_OfFileWithOneFlippedBit_NamesTheOffset()
    {
        string file = _fixture["bad.zfile"];
        byte[] bytes = await File.ReadAllBytesAsync(image.Layer);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(file, bytes);
        ProgramOutcome outcome = await _fixture.RunAsync("verify", file);
        Assert.Equal(1, outcome.Status);
        Assert.Contains(file, outcome.LastErrorLine, StringComparison.Ordinal);
        Assert.Matches("[0-9]{4,}", outcome.LastErrorLine);
    }

    public void Dispose() => _fixture.Dispose();
}
