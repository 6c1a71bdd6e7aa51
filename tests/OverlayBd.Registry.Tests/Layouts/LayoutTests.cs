// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Layouts;

/// <summary>What a layout and an archive of one have in common, and where they differ.</summary>
public sealed class LayoutTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly RegistryClient _client = TestClient.Create();
    private readonly byte[] _content = TestClient.RandomBytes(10_000);
    private readonly Descriptor _blob;

    public LayoutTests() =>
        _blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(_content), Size = _content.Length };

    public static TheoryData<string> Transports => new("oci", "oci-archive");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Image_ReadsBack(string transport)
    {
        await using (ImageRepository repository = Open(transport))
        {
            await repository.PushBlobAsync(_blob, TestClient.Opening(_content), cancellationToken: Token);
            await repository.PushManifestAsync(Manifest(1), MediaTypes.OciManifest, "one", Token);
            await repository.PushManifestAsync(Manifest(2), MediaTypes.OciManifest, "two", Token);
            await repository.PushManifestAsync(Manifest(3), MediaTypes.OciManifest, "two", Token);
            await repository.CompleteAsync(Token);
        }

        await using ImageRepository read = Open(transport);
        Assert.True(await read.BlobExistsAsync(_blob, Token));
        Assert.Equal(_content, await TestClient.ReadToEndAsync(await read.OpenBlobAsync(_blob, Token)));
        Assert.Equal(Manifest(1), (await read.GetManifestAsync("one", Token)).Content.ToArray());
        Assert.Equal(Manifest(3), (await read.GetManifestAsync("two", Token)).Content.ToArray());
        ManifestContent byDigest = await read.GetManifestAsync(Digest.Sha256(Manifest(2)).ToString(), Token);
        Assert.Equal(MediaTypes.OciManifest, byDigest.Descriptor.MediaType);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => read.GetManifestAsync(null, Token));
        Assert.Contains("one, two", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RegistryException>(() => read.GetManifestAsync("three", Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path, "*.tmp", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Dispose_Twice_IsLegal(string transport)
    {
        await using ImageRepository repository = Open(transport);
        await repository.PushBlobAsync(_blob, TestClient.Opening(_content), cancellationToken: Token);
        await repository.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Image_WithoutATag_IsTheOnlyOne_AndItsPartsAreNone(string transport)
    {
        await using (ImageRepository repository = Open(transport))
        {
            Descriptor one = await repository.PushManifestAsync(Manifest(1), MediaTypes.OciManifest, null, Token);
            Descriptor two = await repository.PushManifestAsync(Manifest(2), MediaTypes.OciManifest, null, Token);
            byte[] index = OciJson.Write(new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = [one, two] });
            await repository.PushManifestAsync(index, MediaTypes.OciIndex, null, Token);
            await repository.CompleteAsync(Token);
        }

        await using ImageRepository read = Open(transport);
        ImageIndex found = (await read.GetManifestAsync(null, Token)).AsIndex()!;
        Assert.Equal(2, found.Manifests.Count);
        Assert.NotNull((await read.GetManifestAsync(found.Manifests[1].Digest.ToString(), Token)).AsManifest());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Blob_OfOtherContent_IsNotStored(string transport)
    {
        await using ImageRepository repository = Open(transport);
        byte[] other = TestClient.RandomBytes(_content.Length, 7);
        await Assert.ThrowsAsync<InvalidDataException>(() => repository.PushBlobAsync(_blob, TestClient.Opening(other), cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidDataException>(() => repository.PushBlobAsync(_blob, TestClient.Opening(_content[1..]), cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidDataException>(() => repository.PushBlobAsync(_blob, TestClient.Opening([.. _content, 0]), cancellationToken: Token));
        Assert.False(await repository.BlobExistsAsync(_blob, Token));
    }

    [Fact]
    public async Task Blob_Damaged_IsFoundOut()
    {
        await using ImageRepository repository = Open("oci");
        await repository.PushBlobAsync(_blob, TestClient.Opening(_content), cancellationToken: Token);
        string file = Path.Combine(_directory["image"], "blobs", "sha256", _blob.Digest.Hex);
        _content[5] ^= 1;
        await File.WriteAllBytesAsync(file, _content, Token);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(_blob, Token)));
        await File.WriteAllBytesAsync(file, _content[1..], Token);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await repository.OpenBlobSourceAsync(_blob, Token));
        File.Delete(file);
        Assert.Equal(RegistryError.NotFound, (await Assert.ThrowsAsync<RegistryException>(() => repository.OpenBlobAsync(_blob, Token))).Error);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Nothing_IsNotFound(string transport)
    {
        await using ImageRepository repository = Open(transport);
        Assert.False(await repository.BlobExistsAsync(_blob, Token));
        Assert.Equal(RegistryError.NotFound, (await Assert.ThrowsAsync<RegistryException>(() => repository.GetManifestAsync("v1", Token))).Error);
        Assert.Equal(RegistryError.NotFound, (await Assert.ThrowsAsync<RegistryException>(() => repository.OpenBlobAsync(_blob, Token))).Error);
    }

    [Fact]
    public async Task Archive_NotCompleted_LeavesNothingBehind()
    {
        await using (ImageRepository repository = Open("oci-archive"))
        {
            await repository.PushBlobAsync(_blob, TestClient.Opening(_content), cancellationToken: Token);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x1f, 0x8b, 8, 0 })]
    [InlineData(new byte[] { 1, 2, 3 })]
    public async Task Archive_OfSomethingElse_SaysSo(byte[] content)
    {
        await File.WriteAllBytesAsync(_directory["image"], content, Token);
        await using ImageRepository repository = Open("oci-archive");
        IOException? missing = null;
        try
        {
            await repository.GetManifestAsync("v1", Token);
            Assert.Fail("there is no image");
        }
        catch (InvalidDataException error)
        {
            Assert.Contains(_directory["image"], error.Message, StringComparison.Ordinal);
        }
        catch (RegistryException error)
        {
            missing = error;
        }

        Assert.Equal(content.Length == 0, missing is not null);
    }

    [Fact]
    public async Task Archive_OfRandomDamage_ThrowsNothingUndocumented()
    {
        await using (ImageRepository repository = Open("oci-archive"))
        {
            await repository.PushManifestAsync(Manifest(1), MediaTypes.OciManifest, "v1", Token);
            await repository.CompleteAsync(Token);
        }

        byte[] good = await File.ReadAllBytesAsync(_directory["image"], Token);
        var random = new Random(11);
        for (int i = 0; i < 300; i++)
        {
            byte[] bad = [.. good];
            for (int n = 0; n < 4; n++)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            await File.WriteAllBytesAsync(_directory["image"], random.Next(3) == 0 ? bad[..random.Next(bad.Length)] : bad, Token);
            await using ImageRepository repository = Open("oci-archive");
            try
            {
                await repository.GetManifestAsync("v1", Token);
            }
            catch (Exception error) when (error is InvalidDataException or IOException)
            {
                // Found out.
            }
        }
    }

    private ImageRepository Open(string transport) => ImageLocation.Parse($"{transport}:{_directory["image"]}").Open(_client);

    private static byte[] Manifest(int number) => OciJson.Write(new Manifest
    {
        SchemaVersion = 2,
        MediaType = MediaTypes.OciManifest,
        Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Sha256([(byte)number]), Size = 1 },
    });
}
