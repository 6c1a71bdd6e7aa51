// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Format.Tests.Oci;

public sealed class OciJsonTests
{
    private const string Hex = "e91a425b0b5001fa96ae2909db392034ee9eccfdf9347410a1343719db83054e";

    [Fact]
    public void Write_OfAManifest_HasTheOrderOfGo()
    {
        // The layer is one that upstream's convertor made of centos.
        string text = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"artifactType\":\"a/b\","
            + $"\"config\":{{\"mediaType\":\"c\",\"digest\":\"sha256:{Hex}\",\"size\":1}},"
            + $"\"layers\":[{{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"digest\":\"sha256:{Hex}\",\"size\":2717102,"
            + "\"urls\":[\"https://host/?a=1\\u0026b=2\"],"
            + $"\"annotations\":{{\"containerd.io/snapshot/overlaybd/blob-digest\":\"sha256:{Hex}\","
            + "\"containerd.io/snapshot/overlaybd/blob-size\":\"2717102\",\"containerd.io/snapshot/overlaybd/version\":\"0.1.0-turbo.ociv1\"},"
            + "\"data\":\"e30=\",\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"os.version\":\"1\",\"os.features\":[\"f\"],\"variant\":\"v8\"},"
            + "\"artifactType\":\"x/y\"}],"
            + $"\"subject\":{{\"mediaType\":\"s\",\"digest\":\"sha256:{Hex}\",\"size\":3}},\"annotations\":{{\"a\":\"1\",\"b\":\"2\"}}}}";
        Manifest manifest = OciJson.ReadManifest(Encoding.UTF8.GetBytes(text), "test");
        Assert.Equal(text, Encoding.UTF8.GetString(OciJson.Write(manifest)));
        var reversed = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };
        Assert.Equal(text, Encoding.UTF8.GetString(OciJson.Write(manifest with { Annotations = reversed })));
    }

    [Fact]
    public void Write_OfAnIndex_HasTheOrderOfGo()
    {
        string text = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
            + $"\"manifests\":[{{\"mediaType\":\"m\",\"digest\":\"sha256:{Hex}\",\"size\":1,\"platform\":{{\"architecture\":\"amd64\",\"os\":\"linux\"}}}}]}}";
        Assert.Equal(text, Encoding.UTF8.GetString(OciJson.Write(OciJson.ReadIndex(Encoding.UTF8.GetBytes(text), "test"))));
    }

    [Fact]
    public void Write_OfAnImageDocument_LosesNothing()
    {
        string text = "{\"created\":\"2024-01-02T03:04:05.123456789Z\",\"author\":\"a\",\"architecture\":\"amd64\",\"os\":\"linux\","
            + "\"config\":{\"User\":\"0\",\"ExposedPorts\":{\"443/tcp\":{},\"80/tcp\":{}},\"Env\":[\"A=1\"],\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\"],"
            + "\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/\",\"Labels\":{\"l\":\"v\"},\"StopSignal\":\"SIGQUIT\",\"ArgsEscaped\":true,"
            + "\"Healthcheck\":{\"Test\":[\"CMD\"],\"Interval\":1000000000},\"OnBuild\":null},"
            + $"\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:{Hex}\"]}},"
            + "\"history\":[{\"created\":\"2024-01-02T03:04:05Z\",\"created_by\":\"x \\u0026\\u0026 y\",\"empty_layer\":true},{\"comment\":\"c\"}],"
            + "\"container\":\"abc\",\"docker_version\":\"20\"}";
        ImageDocument document = OciJson.ReadImageDocument(Encoding.UTF8.GetBytes(text), "test");
        Assert.Equal("linux/amd64", document.Platform.ToString());
        Assert.Contains("Healthcheck", document.Config.OtherFields!);
        Assert.Equal(text, Encoding.UTF8.GetString(OciJson.Write(document)));
    }

    [Fact]
    public void Read_OfNullsAndAbsences_GivesEmptyValues()
    {
        ImageDocument document = OciJson.ReadImageDocument("{\"config\":null,\"rootfs\":null,\"os\":null}"u8, "test");
        Assert.Empty(document.RootFs.DiffIds);
        Assert.Null(document.Config.Env);
        Assert.Equal("", document.Os);
        document = OciJson.ReadImageDocument("{}"u8, "test");
        Assert.NotNull(document.Config);
        Assert.Equal("layers", document.RootFs.Type);
        Assert.Empty(OciJson.ReadIndex("{\"schemaVersion\":2}"u8, "test").Manifests);
    }

    [Fact]
    public void Write_EscapesAsGoDoes()
    {
        string text = "<a> & \"\\/ \b\f\n\r\t\u0001\u001f\u007f é 漢 😀 \u2028\u2029";
        byte[] written = OciJson.Write(new ImageDocument { Author = text });
        Assert.Contains(
            "\"author\":\"\\u003ca\\u003e \\u0026 \\\"\\\\/ \\b\\f\\n\\r\\t\\u0001\\u001f\u007f é 漢 😀 \\u2028\\u2029\"",
            Encoding.UTF8.GetString(written),
            StringComparison.Ordinal);
        Assert.Equal(text, OciJson.ReadImageDocument(written, "test").Author);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"schemaVersion\":2}")]
    [InlineData("{\"schemaVersion\":1,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":1}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":null}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":null,\"digest\":\"sha256:" + Hex + "\",\"size\":1}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:../../etc/passwd\",\"size\":1}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":-1}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":99999999999999999999}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":1},\"layers\":[null]}")]
    [InlineData("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":1}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" + Hex + "\",\"size\":1,\"annotations\":{\"a\":1}}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"\\ud800\",\"digest\":\"sha256:" + Hex + "\",\"size\":1}}")]
    public void ReadManifest_OfSomethingElse_SaysWhatAndWhere(string text)
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(Encoding.UTF8.GetBytes(text), "the manifest"));
        Assert.StartsWith("the manifest: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfTooMuch_IsRefused()
    {
        Assert.Throws<InvalidDataException>(() => OciJson.ReadManifest(new byte[OciJson.MaxManifestLength + 1], "test"));
        Assert.Throws<InvalidDataException>(() => OciJson.ReadIndex(new byte[OciJson.MaxManifestLength + 1], "test"));
        Assert.Throws<InvalidDataException>(() => OciJson.ReadImageDocument(new byte[OciJson.MaxImageDocumentLength + 1], "test"));
    }

    [Fact]
    public void Read_OfDamagedDocuments_ThrowsNothingElse()
    {
        byte[] good = OciJson.Write(new Manifest
        {
            SchemaVersion = 2,
            Config = new Descriptor { MediaType = "c", Digest = Digest.Sha256("x"u8), Size = 1, Annotations = new Dictionary<string, string> { ["a"] = "é" } },
        });
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bad = [.. good];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            try
            {
                OciJson.ReadManifest(bad, "test");
                OciJson.ReadImageDocument(bad, "test");
            }
            catch (InvalidDataException)
            {
                // Most of them.
            }
        }
    }
}
