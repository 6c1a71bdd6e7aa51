// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images.Tests;

public sealed class PlatformManifestTests : ImageTestBase
{
    private Descriptor AddImage(string? architecture, string? variant = null, string os = "linux")
    {
        byte[] content = OciJson.Write(Manifest with { Annotations = new Dictionary<string, string> { ["for"] = $"{os}/{architecture}/{variant}" } });
        return new Descriptor
        {
            MediaType = MediaTypes.OciManifest,
            Digest = Repository.AddManifest(content, MediaTypes.OciManifest),
            Size = content.Length,
            Platform = architecture is null ? null : new Platform { Os = os, Architecture = architecture, Variant = variant },
        };
    }

    private Descriptor AddIndex(string? tag, params Descriptor[] manifests)
    {
        byte[] content = OciJson.Write(new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = manifests });
        return new Descriptor { MediaType = MediaTypes.OciIndex, Digest = Repository.AddManifest(content, MediaTypes.OciIndex, tag), Size = content.Length };
    }

    [Fact]
    public async Task Manifest_IsTakenAsItIs()
    {
        Descriptor image = AddImage("s390x");
        ManifestContent found = await PlatformManifest.ResolveAsync(Repository, image.Digest.ToString(), cancellationToken: Token);
        Assert.Equal(image.Digest, found.Descriptor.Digest);
    }

    [Fact]
    public async Task Index_LeadsToThePlatformAskedFor()
    {
        Descriptor v6 = AddImage("arm", "v6");
        Descriptor v7 = AddImage("arm", "v7");
        Descriptor here = AddImage(PlatformManifest.Current.Architecture);
        Descriptor attestation = AddImage("unknown", os: "unknown");
        AddIndex("v1", attestation, v6, v7, here);
        Assert.Equal(here.Digest, (await PlatformManifest.ResolveAsync(Repository, "v1", cancellationToken: Token)).Descriptor.Digest);
        Assert.Equal(v7.Digest, (await ResolveAsync(new Platform { Os = "linux", Architecture = "arm", Variant = "v7" })).Descriptor.Digest);
        Assert.Equal(v6.Digest, (await ResolveAsync(new Platform { Os = "linux", Architecture = "arm" })).Descriptor.Digest);

        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(
            () => ResolveAsync(new Platform { Os = "windows", Architecture = "amd64" }));
        Assert.Contains("no image for windows/amd64", error.Message, StringComparison.Ordinal);
        Assert.Contains("linux/arm/v7", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown", error.Message, StringComparison.Ordinal);

        Task<ManifestContent> ResolveAsync(Platform platform) => PlatformManifest.ResolveAsync(Repository, "v1", platform, Token);
    }

    [Fact]
    public async Task IndexWithOneImageOfNoPlatform_LeadsToIt()
    {
        Descriptor image = AddImage(null);
        AddIndex("latest", image);
        Assert.Equal(image.Digest, (await PlatformManifest.ResolveAsync(Repository, null, cancellationToken: Token)).Descriptor.Digest);
    }

    [Fact]
    public async Task IndexOfIndexes_Ends()
    {
        Descriptor index = AddIndex(null, AddImage(null));
        for (int i = 0; i < 5; i++)
        {
            index = AddIndex("deep", index with { Platform = PlatformManifest.Current });
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => PlatformManifest.ResolveAsync(Repository, "deep", cancellationToken: Token));
    }
}
