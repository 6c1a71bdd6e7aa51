// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Oci;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

public sealed class PushTests : IAsyncLifetime
{
    private readonly byte[] _content = TestClient.RandomBytes(300_000);
    private readonly Descriptor _blob;
    private FaultyRegistry _registry = null!;

    public PushTests() =>
        _blob = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(_content), Size = _content.Length };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _registry = await FaultyRegistry.StartAsync(cancellationToken: Token);

    public async ValueTask DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [InlineData(0, "PUT")]
    [InlineData(100_000, "PUT")]
    [InlineData(100_000, "PATCH")]
    public async Task PushBlob_ThatFailsOnce_StartsOver(int chunkSize, string method)
    {
        using RegistryClient client = TestClient.Create(options => options.UploadChunkSize = chunkSize);
        _registry.Inject(Fault.Status(502), 1, request => request.Method == method);
        int opened = 0;
        long reported = 0;
        await client.Repository(_registry).PushBlobAsync(
            _blob,
            _ =>
            {
                opened++;
                return new ValueTask<Stream>(new MemoryStream(_content));
            },
            progress: new Progress(value => reported = value),
            cancellationToken: Token);
        Assert.Equal(2, opened);
        Assert.Equal(_content.Length, reported);
        Assert.Equal(_content, _registry.GetBlob("team/app", _blob.Digest));
        Assert.Equal(2, _registry.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task PushBlob_InPieces_SendsEachWithItsRange()
    {
        using RegistryClient client = TestClient.Create(options => options.UploadChunkSize = 128 * 1024);
        await client.Repository(_registry).PushBlobAsync(_blob, TestClient.Opening(_content), cancellationToken: Token);
        Assert.Equal(
            ["0-131071", "131072-262143", "262144-299999"],
            _registry.Requests.Where(request => request.Method == "PATCH").Select(request => request.Headers["Content-Range"]));
        Assert.Equal(_content, _registry.GetBlob("team/app", _blob.Digest));
    }

    [Fact]
    public async Task PushBlob_ThatIsThere_OpensNothing()
    {
        using RegistryClient client = TestClient.Create();
        _registry.AddBlob("team/app", _content);
        await client.Repository(_registry).PushBlobAsync(_blob, _ => throw new InvalidOperationException("not to be opened"), cancellationToken: Token);
        Assert.Equal("HEAD", Assert.Single(_registry.Requests).Method);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public async Task PushBlob_OfOtherContent_StoresNothing(int chunkSize)
    {
        using RegistryClient client = TestClient.Create(options => options.UploadChunkSize = chunkSize);
        ImageRepository repository = client.Repository(_registry);
        byte[] other = TestClient.RandomBytes(_content.Length, 9);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => repository.PushBlobAsync(_blob, TestClient.Opening(other), cancellationToken: Token));
        await Assert.ThrowsAsync<InvalidDataException>(
            () => repository.PushBlobAsync(_blob, TestClient.Opening(_content[..^1]), cancellationToken: Token));
        Assert.Null(_registry.GetBlob("team/app", _blob.Digest));
        Assert.Equal(2, _registry.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task PushBlob_WhoseSourceFails_PassesThatOn_AndIsNotTriedAgain()
    {
        using RegistryClient client = TestClient.Create();
        IOException error = await Assert.ThrowsAsync<IOException>(
            () => client.Repository(_registry).PushBlobAsync(_blob, _ => new ValueTask<Stream>(new FailingStream()), cancellationToken: Token));
        Assert.Equal("the disk is gone", error.Message);
        Assert.Single(_registry.Requests, request => request.Method == "POST");
    }

    [Fact]
    public async Task PushBlob_WhoseTokenExpiresOnTheWay_GetsAnotherAndStartsOver()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions { Authentication = FaultyRegistryAuthentication.Bearer }, Token);
        using RegistryClient client = TestClient.Create();
        int opened = 0;
        await client.Repository(registry).PushBlobAsync(
            _blob,
            _ =>
            {
                if (opened++ == 0)
                {
                    registry.ExpireTokens();
                }

                return new ValueTask<Stream>(new MemoryStream(_content));
            },
            cancellationToken: Token);
        Assert.Equal(2, opened);
        Assert.Equal(_content, registry.GetBlob("team/app", _blob.Digest));
        Assert.Equal(2, registry.TokenRequests.Count);
    }

    [Fact]
    public async Task PushBlob_Mounted_SendsNothing_AndNotMounted_GoesOn()
    {
        using RegistryClient client = TestClient.Create();
        _registry.AddBlob("team/base", _content);
        await client.Repository(_registry).PushBlobAsync(
            _blob, _ => throw new InvalidOperationException("not to be opened"), "team/base", cancellationToken: Token);
        Assert.Contains("from=team%2Fbase", _registry.Requests[^1].Query, StringComparison.Ordinal);

        await client.Repository(_registry, "team/other").PushBlobAsync(_blob, TestClient.Opening(_content), "team/nothing", cancellationToken: Token);
        Assert.Equal(_content, _registry.GetBlob("team/other", _blob.Digest));
        Assert.Single(_registry.Requests, request => request.Method == "PUT");
    }

    [Fact]
    public async Task PushManifest_ChecksWhatTheRegistryStored()
    {
        using RegistryClient client = TestClient.Create();
        ImageRepository repository = client.Repository(_registry);
        byte[] manifest = Encoding.UTF8.GetBytes("{\"schemaVersion\":2}");
        Descriptor stored = await repository.PushManifestAsync(manifest, MediaTypes.OciManifest, "v1", Token);
        Assert.Equal(Digest.Sha256(manifest), stored.Digest);
        Assert.Equal(manifest, _registry.GetManifest("team/app", "v1"));

        _registry.Inject(Fault.WrongBytes, 1, request => request.Method == "PUT");
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => repository.PushManifestAsync(manifest, MediaTypes.OciManifest, null, Token));
        Assert.Equal(RegistryError.UnexpectedResponse, error.Error);
    }

    [Fact]
    public async Task GetManifest_Damaged_IsFetchedAgain_AndRefusedInTheEnd()
    {
        using RegistryClient client = TestClient.Create();
        ImageRepository repository = client.Repository(_registry);
        Descriptor stored = _registry.AddManifest("team/app", "v1", Encoding.UTF8.GetBytes("{\"schemaVersion\":2}"));
        _registry.Inject(Fault.WrongBytes, 2, request => request.IsManifestRead);
        Assert.Equal(stored.Digest, (await repository.GetManifestAsync("v1", Token)).Descriptor.Digest);
        _registry.Inject(Fault.WrongBytes, int.MaxValue, request => request.IsManifestRead);
        await Assert.ThrowsAsync<RegistryException>(() => repository.GetManifestAsync(stored.Digest.ToString(), Token));
    }

    [Fact]
    public async Task GetManifest_LongerThanTheLimit_IsRefused()
    {
        using RegistryClient client = TestClient.Create();
        _registry.AddManifest("team/app", "v1", new byte[OciJson.MaxManifestLength + 1]);
        await Assert.ThrowsAsync<InvalidDataException>(() => client.Repository(_registry).GetManifestAsync("v1", Token));
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("a tag")]
    [InlineData("sha256:short")]
    public async Task GetManifest_ByNeitherTagNorDigest_IsAnArgumentError(string name)
    {
        using RegistryClient client = TestClient.Create();
        await Assert.ThrowsAsync<ArgumentException>(() => client.Repository(_registry).GetManifestAsync(name, Token));
    }

    private sealed class Progress(Action<long> report) : IProgress<long>
    {
        public void Report(long value) => report(value);
    }

    private sealed class FailingStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("the disk is gone");
    }
}
