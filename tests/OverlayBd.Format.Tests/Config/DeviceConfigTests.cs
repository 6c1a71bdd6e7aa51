// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Config;

public sealed class DeviceConfigTests
{
    private static readonly string s_digest = "sha256:" + new string('a', 64);

    private static DeviceConfig Parse(string json) => DeviceConfig.Parse(Encoding.UTF8.GetBytes(json), "test config");

    [Fact]
    public void Json_OfTheOriginal_ReadsAndWritesBackByteByByte()
    {
        string json = $$"""
            {"repoBlobUrl":"https://registry-1.docker.io/v2/overlaybd/redis/blobs","lowers":[{"digest":"{{s_digest}}","size":4737695,"dir":"/var/lib/snapshots/1/fs"},{"gzipIndex":"/s/2/fs/gzip.meta","file":"/s/2/fs/ext4.fs.meta","targetFile":"/s/2/fs/layer.tar","targetDigest":"{{s_digest}}","dir":"/s/2/fs"}],"upper":{"index":"/s/3/block/writable_index","data":"/s/3/block/writable_data","vsize":64},"resultFile":"/s/3/block/init-debug.log","accelerationLayer":true,"recordTracePath":"/t"}
            """;
        DeviceConfig config = Parse(json);
        Assert.Equal("https://registry-1.docker.io/v2/overlaybd/redis/blobs", config.RepoBlobUrl);
        Assert.Equal(2, config.Lowers.Count);
        Assert.Equal(new LowerConfig { Digest = Digest.Parse(s_digest), Size = 4737695, Directory = "/var/lib/snapshots/1/fs" }, config.Lowers[0]);
        Assert.Equal(64, config.Upper.VirtualSizeInGiB);
        Assert.True(config.AccelerationLayer);
        Assert.Equal(json, Encoding.UTF8.GetString(config.ToJson()));
    }

    [Fact]
    public void Json_OfAnEmptyConfig_HasTheFieldsThatAreAlwaysThere() =>
        Assert.Equal("""{"repoBlobUrl":"","lowers":[],"upper":{},"resultFile":""}""", Encoding.UTF8.GetString(new DeviceConfig().ToJson()));

    [Fact]
    public void Strings_AreEscapedAsTheOriginalDoes() =>
        Assert.Equal(
            """{"repoBlobUrl":"\u003ca\u0026b\u003e'+é","lowers":[],"upper":{},"resultFile":""}""",
            Encoding.UTF8.GetString(new DeviceConfig { RepoBlobUrl = "<a&b>'+é" }.ToJson()));

    [Fact]
    public void Parse_TakesNamesInAnyCase_IgnoresUnknownOnes_AndTakesEmptyForNone()
    {
        DeviceConfig config = Parse("""
            {"REPOBLOBURL":"u","Lowers":[{"FILE":"/f","digest":"","size":0,"dir":"","more":[1]}],"upper":null,"other":{"a":1},
             "download":{"enable":true,"delay":1,"delayExtra":2,"maxMBps":3,"tryCnt":4,"blockSize":5}}
            """);
        Assert.Equal("u", config.RepoBlobUrl);
        Assert.Equal(new LowerConfig { File = "/f" }, Assert.Single(config.Lowers));
        Assert.Equal(new UpperConfig(), config.Upper);
        Assert.Equal(
            new DownloadConfig { Enable = true, DelayInSeconds = 1, ExtraDelayInSeconds = 2, MaxMiBPerSecond = 3, Tries = 4, BlockSize = 5 },
            config.Download);
        Assert.Equal(new DownloadConfig { Enable = true }, Parse("""{"download":{"enable":true}}""").Download);
    }

    [Theory]
    [InlineData("""{"lowers":[{"size":"12"}]}""", "$.lowers[0].size")]
    [InlineData("""{"lowers":[{},{"dir":7}]}""", "$.lowers[1].dir")]
    [InlineData("""{"lowers":[{"digest":"sha256:12"}]}""", "$.lowers[0].digest")]
    [InlineData("""{"lowers":[{"digest":5}]}""", "$.lowers[0].digest")]
    [InlineData("""{"lowers":{}}""", "$.lowers")]
    [InlineData("""{"upper":[]}""", "$.upper")]
    [InlineData("""{"accelerationLayer":"yes"}""", "$.accelerationLayer")]
    [InlineData("""{"repoBlobUrl":1}""", "$.repoBlobUrl")]
    [InlineData("""{"lowers":[null]}""", "lowers[0] is null")]
    [InlineData("""{"lowers":[{"size":-1}]}""", "lowers[0].size is negative")]
    [InlineData("""{"resultFile":"a\u0000b"}""", "resultFile contains a zero character")]
    [InlineData("[]", "line 1")]
    [InlineData("null", "found null")]
    [InlineData("", "line 1")]
    [InlineData("{\n\"a\": tru}", "line 2")]
    public void Parse_OfWhatIsNoConfig_NamesTheField(string json, string expected)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Parse(json));
        Assert.StartsWith("test config", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfTooMuch_IsRefused()
    {
        string lowers = string.Join(',', Enumerable.Repeat("{}", DeviceConfig.MaxLowers + 1));
        Assert.Throws<InvalidDataException>(() => Parse($$"""{"lowers":[{{lowers}}]}"""));
        Assert.Equal(DeviceConfig.MaxLowers + 1, Parse($$"""{"lowers":[{{lowers}}],"accelerationLayer":true}""").Lowers.Count);
        Assert.Throws<InvalidDataException>(() => Parse($$"""{"resultFile":"{{new string('x', 5000)}}"}"""));
        Assert.Throws<InvalidDataException>(() => DeviceConfig.Parse(new byte[DeviceConfig.MaxLength + 1], "large"));
    }

    [Fact]
    public void Parse_OfRandomBytes_ThrowsNothingElse()
    {
        byte[] json = Encoding.UTF8.GetBytes($$$"""{"repoBlobUrl":"u","lowers":[{"digest":"{{{s_digest}}}","size":12}],"upper":{"vsize":1}}""");
        var random = new Random(5);
        for (int i = 0; i < 5000; i++)
        {
            byte[] damaged = [.. json];
            for (int n = 0; n < 3; n++)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                DeviceConfig.Parse(damaged, "damaged");
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public async Task Save_ReplacesTheFile_ForItsOwnerOnly()
    {
        using var directory = new TempDirectory();
        string path = directory["config.v1.json"];
        var config = new DeviceConfig { RepoBlobUrl = "https://host/v2/a/blobs", Lowers = [new LowerConfig { File = "/layer" }] };
        await File.WriteAllTextAsync(path, "old", TestContext.Current.CancellationToken);
        await config.SaveAsync(path, TestContext.Current.CancellationToken);
        DeviceConfig loaded = await DeviceConfig.LoadAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(config.ToJson(), loaded.ToJson());
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.Single(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task Save_ThatFails_LeavesNothingBehind()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["target"]);
        await Assert.ThrowsAnyAsync<Exception>(() => new DeviceConfig().SaveAsync(directory["target"], TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(directory.Path));
    }
}
