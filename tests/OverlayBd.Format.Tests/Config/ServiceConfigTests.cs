// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using OverlayBd.Format.Config;
using OverlayBd.Testing;

namespace OverlayBd.Format.Tests.Config;

public sealed class ServiceConfigTests
{
    // With every field of the original, each other than its default.
    private const string Everything = """
        {
          "registryFsVersion": "v1", "userAgent": "agent/1", "ioEngine": 1, "enableThread": true, "credentialFilePath": "/c",
          "credentialConfig": {"mode": "https", "path": "https://localhost/auth", "timeout": 3, "client_cert_path": "/cc", "client_key_path": "/ck", "server_ca_path": "/ca"},
          "certConfig": {"certFile": "/cert", "keyFile": "/key"},
          "cacheConfig": {"cacheType": "ocf", "cacheDir": "/cache", "cacheSizeGB": 5, "refillSize": 1048576, "blockSize": 131072},
          "cacheType": "download", "registryCacheDir": "/old", "registryCacheSizeGB": 6,
          "gzipCacheConfig": {"enable": true, "cacheDir": "/gzip", "cacheSizeGB": 7, "refillSize": 4096},
          "logConfig": {"logLevel": 0, "logPath": "/log", "logSizeMB": 20, "logRotateNum": 4},
          "logLevel": 2, "logPath": "/oldlog", "enableAudit": false, "auditPath": "/audit",
          "download": {"enable": true, "delay": 1, "delayExtra": 2, "maxMBps": 3, "tryCnt": 4, "blockSize": 65536},
          "p2pConfig": {"enable": true, "address": "http://p2p:1/x"},
          "exporterConfig": {"enable": true, "uriPrefix": "/m", "port": 9, "updateInterval": 8},
          "prefetchConfig": {"concurrency": 17},
          "serviceConfig": {"enable": true, "address": "http://127.0.0.2:1"}
        }
        """;

    private static ServiceConfig Parse(string json) => ServiceConfig.Parse(Encoding.UTF8.GetBytes(json), "test config");

    [Fact]
    public void EmptyObject_HasTheDefaultsOfTheOriginal()
    {
        ServiceConfig config = Parse("{}");
        Assert.Equal("v2", config.RegistryFsVersion);
        Assert.Equal(0, config.IoEngine);
        Assert.Equal("/opt/overlaybd/cred.json", config.CredentialFilePath);
        Assert.Equal(new CredentialConfig { TimeoutInSeconds = 1 }, config.CredentialConfig);
        Assert.Equal(
            new CacheConfig { Type = "file", Directory = "/opt/overlaybd/registry_cache", SizeInGiB = 4, RefillSize = 262144, BlockSize = 65536 },
            config.EffectiveCache);
        Assert.Equal(new GzipCacheConfig { Directory = "/opt/overlaybd/gzip_cache", SizeInGiB = 4, RefillSize = 1048576 }, config.GzipCache);
        Assert.Equal(new LogConfig { Level = 1, Path = "/var/log/overlaybd.log", SizeInMiB = 10, RotatedFiles = 3 }, config.EffectiveLog);
        Assert.True(config.EnableAudit);
        Assert.Equal("/var/log/overlaybd-audit.log", config.AuditPath);
        Assert.Equal(new DownloadConfig(false, 300, 30, 100, 5, 262144), config.Download);
        Assert.Equal(new P2PConfig { Address = "http://localhost:9731/accelerator" }, config.P2P);
        Assert.Equal(new ExporterConfig { UriPrefix = "/metrics", Port = 9863, UpdateIntervalInMicroseconds = 60000000 }, config.Exporter);
        Assert.Equal(16, config.Prefetch.Concurrency);
        Assert.Equal(new ControlApiConfig { Address = "http://127.0.0.1:9862" }, config.ControlApi);
        Assert.Empty(config.Warnings);
    }

    [Fact]
    public void EveryField_OfTheOriginal_IsRead()
    {
        ServiceConfig config = Parse(Everything);
        Assert.Empty(config.Warnings);
        Assert.Equal("v1", config.RegistryFsVersion);
        Assert.Equal("agent/1", config.UserAgent);
        Assert.Equal(1, config.IoEngine);
        Assert.True(config.EnableThread);
        Assert.Equal("/c", config.CredentialFilePath);
        Assert.Equal(
            new CredentialConfig
            {
                Mode = "https",
                Path = "https://localhost/auth",
                TimeoutInSeconds = 3,
                ClientCertificatePath = "/cc",
                ClientKeyPath = "/ck",
                ServerCaPath = "/ca",
            },
            config.CredentialConfig);
        Assert.Equal(new CertificateConfig { CertificateFile = "/cert", KeyFile = "/key" }, config.Certificate);
        Assert.Equal(
            new CacheConfig { Type = "ocf", Directory = "/cache", SizeInGiB = 5, RefillSize = 1048576, BlockSize = 131072 }, config.EffectiveCache);
        Assert.Equal(("download", "/old", 6), (config.CacheType, config.RegistryCacheDirectory, config.RegistryCacheSizeInGiB));
        Assert.Equal(new GzipCacheConfig { Enable = true, Directory = "/gzip", SizeInGiB = 7, RefillSize = 4096 }, config.GzipCache);
        Assert.Equal(new LogConfig { Level = 0, Path = "/log", SizeInMiB = 20, RotatedFiles = 4 }, config.EffectiveLog);
        Assert.Equal((2, "/oldlog", false, "/audit"), (config.LogLevel, config.LogPath, config.EnableAudit, config.AuditPath));
        Assert.Equal(new DownloadConfig(true, 1, 2, 3, 4, 65536), config.Download);
        Assert.Equal(new P2PConfig { Enable = true, Address = "http://p2p:1/x" }, config.P2P);
        Assert.Equal(new ExporterConfig { Enable = true, UriPrefix = "/m", Port = 9, UpdateIntervalInMicroseconds = 8 }, config.Exporter);
        Assert.Equal(17, config.Prefetch.Concurrency);
        Assert.Equal(new ControlApiConfig { Enable = true, Address = "http://127.0.0.2:1" }, config.ControlApi);
    }

    [Fact]
    public void OlderKeys_CountWhenTheNewerNameNothing()
    {
        ServiceConfig config = Parse("""{"registryCacheDir":"/old","registryCacheSizeGB":9,"cacheType":"download","logPath":"","logLevel":3}""");
        Assert.Equal(("download", "/old", 9), (config.EffectiveCache.Type, config.EffectiveCache.Directory, config.EffectiveCache.SizeInGiB));
        Assert.Equal(new LogConfig { Level = 3 }, config.EffectiveLog);
    }

    [Fact]
    public void UnknownFields_AreWarnings()
    {
        ServiceConfig config = Parse("""{"one":1,"CacheConfig":{"cacheDir":"/c","two":{"deep":1}},"download":{"three":[]},"exporterConfig":null}""");
        Assert.Equal(
            [
                "test config: the field one is not known and has no effect.",
                "test config: the field CacheConfig.two is not known and has no effect.",
                "test config: the field download.three is not known and has no effect.",
            ],
            config.Warnings);
        Assert.Equal("/c", config.Cache.Directory);
        Assert.Equal(new ExporterConfig(), config.Exporter);
    }

    [Theory]
    [InlineData("""{"cacheConfig":{"cacheSizeGB":"4"}}""", "$.cacheConfig.cacheSizeGB")]
    [InlineData("""{"enableAudit":1}""", "$.enableAudit")]
    [InlineData("""{"logLevel":1.5}""", "$.logLevel")]
    [InlineData("""{"download":[]}""", "$.download")]
    [InlineData("""{"ioEngine":3}""", "ioEngine")]
    [InlineData("""{"ioEngine":-1}""", "ioEngine")]
    [InlineData("""{"cacheConfig":{"cacheType":"none"}}""", "cacheConfig.cacheType")]
    [InlineData("""{"cacheType":""}""", "cacheType")]
    [InlineData("""{"cacheConfig":{"refillSize":262145}}""", "cacheConfig.refillSize")]
    [InlineData("""{"cacheConfig":{"cacheSizeGB":0}}""", "cacheConfig.cacheSizeGB")]
    [InlineData("""{"gzipCacheConfig":{"cacheDir":""}}""", "gzipCacheConfig.cacheDir")]
    [InlineData("""{"logConfig":{"logRotateNum":31}}""", "logConfig.logRotateNum")]
    [InlineData("""{"logLevel":5}""", "logLevel")]
    [InlineData("""{"auditPath":"\u0000"}""", "auditPath")]
    [InlineData("""{"download":{"blockSize":0}}""", "download.blockSize")]
    [InlineData("""{"download":{"delay":-1}}""", "download.delay")]
    [InlineData("""{"download":{"tryCnt":0}}""", "download.tryCnt")]
    [InlineData("""{"p2pConfig":{"enable":true,"address":"localhost:19145/dadip2p"}}""", "p2pConfig.address")]
    [InlineData("""{"exporterConfig":{"port":65536}}""", "exporterConfig.port")]
    [InlineData("""{"exporterConfig":{"uriPrefix":"metrics"}}""", "exporterConfig.uriPrefix")]
    [InlineData("""{"prefetchConfig":{"concurrency":0}}""", "prefetchConfig.concurrency")]
    [InlineData("""{"serviceConfig":{"address":"http://localhost:9862"}}""", "serviceConfig.address")]
    [InlineData("""{"credentialConfig":{"mode":"ftp"}}""", "credentialConfig.mode")]
    [InlineData("""{"credentialConfig":{"mode":"file"}}""", "credentialConfig.path")]
    [InlineData("""{"credentialConfig":{"timeout":0}}""", "credentialConfig.timeout")]
    [InlineData("""{"certConfig":{"certFile":"/c"}}""", "certConfig.keyFile")]
    [InlineData("""{"backstoreConfig":{"device":"nbd"}}""", "backstoreConfig.device")]
    public void WrongValue_IsRefused_WithTheNameOfItsField(string json, string field)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => Parse(json));
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("test config: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{} x")]
    [InlineData("{\"userAgent\":\"\xff\"")]
    public void WhatIsNoObject_IsRefused(string json) => Assert.Throws<InvalidDataException>(() => Parse(json));

    [Fact]
    public void Json_WrittenAndReadAgain_IsTheSame()
    {
        ServiceConfig config = Parse(Everything);
        ServiceConfig again = ServiceConfig.Parse(config.ToJson(), "written");
        Assert.Equal(config with { Warnings = again.Warnings }, again);

        JsonNode written = JsonNode.Parse(config.ToJson())!;
        foreach ((string name, JsonNode? value) in JsonNode.Parse(Everything)!.AsObject())
        {
            Assert.True(JsonNode.DeepEquals(value, written[name]), name);
        }
    }

    [Fact]
    public async Task File_Loads()
    {
        using var files = new TempDirectory();
        await File.WriteAllTextAsync(files["overlaybd.json"], Everything);
        Assert.Equal("/cache", (await ServiceConfig.LoadAsync(files["overlaybd.json"])).Cache.Directory);
        await File.WriteAllBytesAsync(files["large"], new byte[ServiceConfig.MaxLength + 1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => ServiceConfig.LoadAsync(files["large"]));
        await Assert.ThrowsAsync<FileNotFoundException>(() => ServiceConfig.LoadAsync(files["missing"]));
    }

    [Fact]
    public async Task Sample_IsValid_AndSaysNothingUnknown()
    {
        ServiceConfig config = await ServiceConfig.LoadAsync(Path.Combine(SourceDirectory(), "../../../docs/overlaybd.json"));
        Assert.Empty(config.Warnings);
        Assert.Equal(new CacheConfig { Type = "file" }, config.EffectiveCache);

        static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
    }

    [Fact]
    public void RandomDamage_GivesTheDocumentedErrorsOnly()
    {
        byte[] json = Encoding.UTF8.GetBytes(Everything);
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] damaged = [.. json];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            try
            {
                ServiceConfig.Parse(damaged.AsSpan(0, random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length), "damaged");
            }
            catch (InvalidDataException)
            {
            }
        }
    }
}
