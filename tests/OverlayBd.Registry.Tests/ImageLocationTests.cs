// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Tests;

public sealed class ImageLocationTests
{
    [Theory]
    [InlineData("docker://redis:7", "docker://docker.io/library/redis:7")]
    [InlineData("registry.example/app", "docker://registry.example/app")]
    [InlineData("localhost:5000/app:v1", "docker://localhost:5000/app:v1")]
    [InlineData("oci:/tmp/layout", "oci:/tmp/layout")]
    [InlineData("oci:layout:v1", "oci:layout:v1")]
    [InlineData("oci:/tmp/a:b/layout:v1", "oci:/tmp/a:b/layout:v1")]
    [InlineData("oci-archive:/tmp/image.tar:v1", "oci-archive:/tmp/image.tar:v1")]
    public void Parse_OfALocation_WritesItBack(string text, string expected) =>
        Assert.Equal(expected, ImageLocation.Parse(text).ToString());

    [Theory]
    [InlineData("oci:/tmp/a:b/layout", "/tmp/a:b/layout", null)]
    [InlineData("oci:/tmp/layout:v1.2", "/tmp/layout", "v1.2")]
    [InlineData("oci:layout", "layout", null)]
    public void Parse_OfALayout_SplitsPathAndTag(string text, string path, string? tag)
    {
        ImageLocation location = ImageLocation.Parse(text);
        Assert.Equal(ImageTransport.OciLayout, location.Transport);
        Assert.Equal(path, location.Path);
        Assert.Equal(tag, location.TagOrDigest);
        Assert.Null(location.Reference);
    }

    [Theory]
    [InlineData("oci:")]
    [InlineData("oci::v1")]
    [InlineData("oci:dir:")]
    [InlineData("oci:dir:no tag")]
    [InlineData("http://registry.example/app")]
    [InlineData("docker-daemon://app")]
    [InlineData("docker://")]
    public void Parse_OfSomethingElse_SaysSo(string text)
    {
        Assert.Throws<FormatException>(() => ImageLocation.Parse(text));
        Assert.False(ImageLocation.TryParse(text, out _));
    }
}
