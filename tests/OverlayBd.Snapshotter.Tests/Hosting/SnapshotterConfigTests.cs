// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Microsoft.Extensions.Logging;
using OverlayBd.SnapshotterHost.Configuration;

namespace OverlayBd.Snapshotter.Tests.Hosting;

public sealed class SnapshotterConfigTests
{
    private const string Least = "\"root\": \"/r\", \"address\": \"/a\"";

    [Fact]
    public void UpstreamsFile_IsReadWhole()
    {
        SnapshotterConfig config = Parse(
            """
            { "root": "/var/lib/r", "address": " /run/s.sock ", "asyncRemove": true, "verbose": "WARN", "logReportCaller": false, "rwMode": "dev",
              "autoRemoveDev": true, "exporterConfig": { "enable": true, "uriPrefix": "/m", "port": 1234 }, "writableLayerType": "sparse",
              "mirrorRegistry": [ { "host": "localhost:5000", "insecure": true } ], "defaultFsType": "xfs", "rootfsQuota": "20g",
              "tenant": 3, "turboFsType": [ "erofs", "ext4" ], "RUNTIMETYPE": "docker" }
            """);
        Assert.Equal("/var/lib/r", config.Snapshots.Root);
        Assert.Equal("/run/s.sock", config.Address);
        Assert.True(config.Snapshots.AsyncRemove && config.Snapshots.AutoRemoveDevice);
        Assert.Equal(LogLevel.Warning, config.LogLevel);
        Assert.Equal(WritableMode.Device, config.Snapshots.WritableMode);
        Assert.Equal(new ExporterSettings(true, "/m", 1234), config.Exporter);
        Assert.Equal(WritableLayerKind.Sparse, config.Snapshots.WritableLayer);
        Assert.Equal([new RegistryHostOptions("localhost:5000", true)], config.Snapshots.Registries);
        Assert.Equal("xfs", config.Snapshots.DefaultFileSystem);
        Assert.Equal(20L << 30, config.Snapshots.WritableSizeLimit);
        Assert.Equal(3, config.Tenant);
        Assert.Equal(SnapshotRuntime.Docker, config.Snapshots.Runtime);
    }

    [Fact]
    public void Defaults_AreUpstreams()
    {
        SnapshotterConfig config = Parse("{" + Least + "}");
        Assert.Equal(new ExporterSettings(false, "/metrics", 9863), config.Exporter);
        Assert.Equal((LogLevel.Information, -1, AttachWay.Auto), (config.LogLevel, config.Tenant, config.Attacher));
        Assert.Equal(("ext4", 0L), (config.Snapshots.DefaultFileSystem, config.Snapshots.WritableSizeLimit));
        Assert.Empty(config.Warnings);
    }

    [Theory]
    [InlineData("\"address\": \"/a\"", "root")]
    [InlineData("\"root\": \"r\", \"address\": \"/a\"", "root")]
    [InlineData("\"root\": \"/r\"", "address")]
    [InlineData("\"root\": 5, \"address\": \"/a\"", "root")]
    [InlineData(Least + ", \"asyncRemove\": \"yes\"", "asyncRemove")]
    [InlineData(Least + ", \"autoRemoveDev\": 1", "autoRemoveDev")]
    [InlineData(Least + ", \"logReportCaller\": []", "logReportCaller")]
    [InlineData(Least + ", \"verbose\": \"loud\"", "verbose")]
    [InlineData(Least + ", \"verbose\": 4", "verbose")]
    [InlineData(Least + ", \"rwMode\": \"rw\"", "rwMode")]
    [InlineData(Least + ", \"writableLayerType\": 1", "writableLayerType")]
    [InlineData(Least + ", \"exporterConfig\": []", "exporterConfig")]
    [InlineData(Least + ", \"exporterConfig\": { \"enable\": \"true\" }", "exporterConfig.enable")]
    [InlineData(Least + ", \"exporterConfig\": { \"port\": \"9863\" }", "exporterConfig.port")]
    [InlineData(Least + ", \"exporterConfig\": { \"port\": 70000 }", "exporterConfig.port")]
    [InlineData(Least + ", \"exporterConfig\": { \"uriPrefix\": \"x\" }", "exporterConfig.uriPrefix")]
    [InlineData(Least + ", \"mirrorRegistry\": {}", "mirrorRegistry")]
    [InlineData(Least + ", \"mirrorRegistry\": [ { \"host\": \"https://x\" } ]", "mirrorRegistry[0].host")]
    [InlineData(Least + ", \"mirrorRegistry\": [ \"x\" ]", "mirrorRegistry[0]")]
    [InlineData(Least + ", \"mirrorRegistry\": [ { \"host\": \"a\" }, { \"host\": \"b\", \"insecure\": 1 } ]", "mirrorRegistry[1].insecure")]
    [InlineData(Least + ", \"defaultFsType\": \"../x\"", "defaultFsType")]
    [InlineData(Least + ", \"defaultFsType\": true", "defaultFsType")]
    [InlineData(Least + ", \"rootfsQuota\": 20", "rootfsQuota")]
    [InlineData(Least + ", \"rootfsQuota\": \"big\"", "rootfsQuota")]
    [InlineData(Least + ", \"tenant\": 1.5", "tenant")]
    [InlineData(Least + ", \"tenant\": \"1\"", "tenant")]
    [InlineData(Least + ", \"turboFsType\": [ \"xfs\" ]", "turboFsType")]
    [InlineData(Least + ", \"turboFsType\": \"erofs\"", "turboFsType")]
    [InlineData(Least + ", \"runtimeType\": \"podman\"", "runtimeType")]
    [InlineData(Least + ", \"attacher\": \"nbd\"", "attacher")]
    [InlineData(Least + ", \"backstoreSocket\": \"x.sock\"", "backstoreSocket")]
    [InlineData(Least + ", \"frontEnd\": \"nbd\"", "frontEnd")]
    [InlineData(Least + ", \"commitFormat\": \"zip\"", "commitFormat")]
    [InlineData(Least + ", \"logFormat\": \"xml\"", "logFormat")]
    public void Value_ThatIsWrong_IsAnErrorThatNamesItsField(string fields, string name)
    {
        ConfigException error = Assert.Throws<ConfigException>(() => Parse("{" + fields + "}"));
        Assert.StartsWith("test.json: " + name + " ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Password_OfARegistry_IsRefused_AndNotShown()
    {
        ConfigException error = Assert.Throws<ConfigException>(
            () => Parse("{" + Least + ", \"mirrorRegistry\": [ { \"host\": \"me:secret@localhost:5000\" } ] }"));
        Assert.StartsWith("test.json: mirrorRegistry[0].host ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("null")]
    public void File_ThatIsNoObject_IsAnError(string text) => Assert.Throws<ConfigException>(() => Parse(text));

    [Fact]
    public void Field_ThatIsUnknown_IsAWarning()
    {
        SnapshotterConfig config = Parse("{" + Least + ", \"colour\": \"red\", \"exporterConfig\": { \"shape\": 1 } }");
        Assert.Contains(config.Warnings, warning => warning.StartsWith("colour ", StringComparison.Ordinal));
        Assert.Contains(config.Warnings, warning => warning.StartsWith("exporterConfig.shape ", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_OfTheRepository_AreRight()
    {
        string etc = Path.Combine(Infrastructure.Programs.Repository, "hosts/overlaybd-snapshotter/etc/overlaybd-snapshotter/config.json");
        Assert.Empty(SnapshotterConfig.Load(etc).Warnings);
    }

    private static SnapshotterConfig Parse(string json) => SnapshotterConfig.Parse(Encoding.UTF8.GetBytes(json), "test.json");
}
