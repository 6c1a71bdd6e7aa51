// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Tests;

public sealed class ImageReferenceTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("redis", "docker.io", "library/redis", null, null)]
    [InlineData("redis:7.2", "docker.io", "library/redis", "7.2", null)]
    [InlineData("team/app", "docker.io", "team/app", null, null)]
    [InlineData("docker.io/redis", "docker.io", "library/redis", null, null)]
    [InlineData("index.docker.io/library/redis", "docker.io", "library/redis", null, null)]
    [InlineData("registry-1.docker.io/redis", "docker.io", "library/redis", null, null)]
    [InlineData("localhost/app", "localhost", "app", null, null)]
    [InlineData("localhost:5000/app:v1", "localhost:5000", "app", "v1", null)]
    [InlineData("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", null, null)]
    [InlineData("[::1]:5000/app", "[::1]:5000", "app", null, null)]
    [InlineData("registry.example/app@sha256:" + Hex, "registry.example", "app", null, "sha256:" + Hex)]
    [InlineData("registry.example/app:v1@sha256:" + Hex, "registry.example", "app", "v1", "sha256:" + Hex)]
    [InlineData("registry.example/a_b/c__d/e---f/g.h", "registry.example", "a_b/c__d/e---f/g.h", null, null)]
    [InlineData("Registry/app", "Registry", "app", null, null)]
    [InlineData("app:_tag.with-all_1", "docker.io", "library/app", "_tag.with-all_1", null)]
    public void Parse_OfAReference_FindsItsParts(string text, string registry, string repository, string? tag, string? digest)
    {
        ImageReference reference = ImageReference.Parse(text);
        Assert.Equal(registry, reference.Registry);
        Assert.Equal(repository, reference.Repository);
        Assert.Equal(tag, reference.Tag);
        Assert.Equal(digest, reference.Digest?.ToString());
        Assert.Equal(digest ?? tag ?? "latest", reference.TagOrDigest);
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Redis")]
    [InlineData("redis:")]
    [InlineData("redis:-tag")]
    [InlineData("redis@sha256:abc")]
    [InlineData("redis@md5:0123456789abcdef0123456789abcdef")]
    [InlineData("redis@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("registry.example/")]
    [InlineData("registry.example//app")]
    [InlineData("registry.example/app/")]
    [InlineData("registry.example/-app")]
    [InlineData("registry.example/app..b")]
    [InlineData("registry.example/../../etc/passwd")]
    [InlineData("registry_example.org/app")]
    [InlineData("user@registry.example/app")]
    [InlineData("registry.example/app\n")]
    [InlineData("registry.example/app:v1 ")]
    [InlineData("https://registry.example/app")]
    [InlineData("registry.example:port/app")]
    public void Parse_OfSomethingElse_SaysSo(string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => ImageReference.Parse(text));
        Assert.False(ImageReference.TryParse(text, out _));
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Parse_OfANameOf256Characters_IsRefused()
    {
        string host = "registry.example/";
        Assert.True(ImageReference.TryParse(host + new string('a', 255 - host.Length), out _));
        Assert.False(ImageReference.TryParse(host + new string('a', 256 - host.Length), out _));
        Assert.False(ImageReference.TryParse(new string('a', 1_000_000), out _));
    }

    [Fact]
    public void TryParse_OfNull_IsFalse() => Assert.False(ImageReference.TryParse(null, out _));

    [Fact]
    public void WithTag_DropsTheDigest()
    {
        ImageReference reference = ImageReference.Parse("registry.example/app@sha256:" + Hex).WithTag("v2");
        Assert.Equal("registry.example/app:v2", reference.ToString());
        Assert.Throws<FormatException>(() => reference.WithTag("no tag"));
    }
}
