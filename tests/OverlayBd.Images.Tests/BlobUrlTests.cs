// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Images.Layers;
using OverlayBd.Registry;

namespace OverlayBd.Images.Tests;

public sealed class BlobUrlTests
{
    [Theory]
    [InlineData("https://registry-1.docker.io/v2/overlaybd/redis/blobs", "docker.io", "overlaybd/redis")]
    [InlineData("https://ghcr.io/v2/a/b/c/blobs/", "ghcr.io", "a/b/c")]
    [InlineData("http://localhost:5000/v2/x/blobs", "localhost:5000", "x")]
    [InlineData("http://registry/v2/x/y/blobs", "registry:80", "x/y")]
    [InlineData("https://registry/v2/x/blobs", "registry:443", "x")]
    public void Parse_FindsRegistryAndRepository(string url, string registry, string repository)
    {
        ImageReference parsed = BlobUrl.Parse(url);
        Assert.Equal(registry, parsed.Registry);
        Assert.Equal(repository, parsed.Repository);
    }

    [Theory]
    [InlineData("")]
    [InlineData("registry/v2/x/blobs")]
    [InlineData("ftp://registry/v2/x/blobs")]
    [InlineData("https://registry/v1/x/blobs")]
    [InlineData("https://registry/v2/blobs")]
    [InlineData("https://registry/v2/x/manifests")]
    [InlineData("https://registry/v2/UPPER/blobs")]
    public void Parse_OfAnythingElse_IsRefused(string url) => Assert.Throws<InvalidDataException>(() => BlobUrl.Parse(url));

    [Fact]
    public void Parse_DoesNotRepeatAPassword()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => BlobUrl.Parse("https://user:secret@registry/v1/x"));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }
}
