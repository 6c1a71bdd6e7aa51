// SPDX-License-Identifier: Apache-2.0

using System.Net;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

/// <summary>What a ranged read does when the registry does something wrong.</summary>
public sealed class BlobSourceFaultTests : IAsyncLifetime
{
    private readonly byte[] _content = TestClient.RandomBytes(100_000);
    private readonly RegistryClient _client = TestClient.Create();
    private FaultyRegistry _registry = null!;
    private Descriptor _blob = null!;
    private BlockSource _source = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await FaultyRegistry.StartAsync();
        _blob = _registry.AddBlob("team/app", _content);
        _source = await _client.Repository(_registry).OpenBlobSourceAsync(_blob, Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    public static TheoryData<Fault> TransientFaults => new(
        Fault.Abort,
        Fault.Status(500),
        Fault.Status(503),
        Fault.Status(408),
        Fault.Status(429, "0"),
        Fault.NoContentRange,
        Fault.CloseAfter(0),
        Fault.CloseAfter(1000),
        Fault.ShorterBy(10),
        Fault.ShiftedBy(512),
        Fault.WrongTotal(99_999));

    [Theory]
    [MemberData(nameof(TransientFaults))]
    public async Task Read_AfterFourFaults_Succeeds_AndAfterFiveThrows(Fault fault)
    {
        _registry.Inject(fault, 4);
        await ExpectAsync(5000, 20_000);
        Assert.Equal(5, _registry.RequestsOf(_blob.Digest));
        Assert.Equal(4, _client.Statistics.Retries);

        _registry.Inject(fault, 5);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            async () => await _source.ReadAsync(5000, new byte[20_000], Token));
        Assert.Equal(10, _registry.RequestsOf(_blob.Digest));
        Assert.Contains(_blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains($"{_registry.Host}/team/app", error.Message, StringComparison.Ordinal);
        Assert.Contains("5 attempts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_AnsweredByTheWholeBlob_IsRefusedAtOnce()
    {
        _registry.Inject(Fault.IgnoreRange);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await _source.ReadAsync(10, new byte[10], Token));
        Assert.Equal(RegistryError.UnexpectedResponse, error.Error);
        Assert.Equal(HttpStatusCode.OK, error.StatusCode);
        Assert.Contains("bytes 10-19", error.Message, StringComparison.Ordinal);
        Assert.Contains("ignores ranges", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_OfTheWholeBlob_TakesA200()
    {
        _registry.Inject(Fault.IgnoreRange);
        await ExpectAsync(0, _content.Length);
        Assert.Equal(1, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_ThatBreaksHalfway_AsksForTheRestOnly()
    {
        _registry.Inject(Fault.CloseAfter(7000));
        await ExpectAsync(1000, 10_000);
        Assert.Equal("bytes=1000-10999", _registry.Requests[^2].Range);
        string rest = _registry.Requests[^1].Range!;
        Assert.EndsWith("-10999", rest, StringComparison.Ordinal);
        Assert.InRange(long.Parse(rest["bytes=".Length..].Split('-')[0]), 1000, 8000);
    }

    [Fact]
    public async Task Read_OfAnUnknownBlob_SaysNotFound_Once()
    {
        BlockSource other = await _client.Repository(_registry, "other/app").OpenBlobSourceAsync(_blob, Token);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await other.ReadAsync(0, new byte[10], Token));
        Assert.Equal(RegistryError.NotFound, error.Error);
        Assert.Equal(HttpStatusCode.NotFound, error.StatusCode);
        Assert.Contains("BLOB_UNKNOWN: blob unknown to registry", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_OfABlobShorterThanItsDescriptor_Throws()
    {
        BlockSource longer = await _client.Repository(_registry).OpenBlobSourceAsync(_blob with { Size = _blob.Size + 100 }, Token);
        await Assert.ThrowsAsync<RegistryException>(async () => await longer.ReadAsync(0, new byte[10], Token));
        await Assert.ThrowsAsync<RegistryException>(async () => await longer.ReadAsync(_blob.Size, new byte[10], Token));
    }

    [Fact]
    public async Task Read_FromAnotherHost_RemembersIt_AndNeverSendsItTheCredential()
    {
        await using FaultyRegistry storage = await FaultyRegistry.StartAsync();
        storage.AddBlob("team/app", _content);
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync(new FaultyRegistryOptions
        {
            Authentication = FaultyRegistryAuthentication.Bearer,
            UserName = "u",
            Password = "p",
        });
        registry.AddBlob("team/app", _content);
        registry.Inject(
            Fault.RedirectTo($"{storage.Address}{{path}}?signature=topsecret"),
            int.MaxValue,
            request => request.IsBlobRead && request.Authorization is not null);
        using RegistryClient client = TestClient.Create(options => (options.UserName, options.Password) = ("u", "p"));
        BlockSource source = await client.Repository(registry).OpenBlobSourceAsync(_blob, Token);

        for (int i = 0; i < 5; i++)
        {
            byte[] buffer = new byte[100];
            await source.ReadAsync(i * 1000, buffer, Token);
            Assert.Equal(_content[(i * 1000)..(i * 1000 + 100)], buffer);
        }

        Assert.Equal(5, storage.RequestsOf(_blob.Digest));
        Assert.Equal(2, registry.RequestsOf(_blob.Digest)); // challenged once, redirected once
        Assert.All(storage.Requests, request => Assert.Null(request.Authorization));

        // The address has expired: the registry is asked for another, once, within the same budget.
        storage.Inject(Fault.Status(403));
        byte[] again = new byte[100];
        await source.ReadAsync(50, again, Token);
        Assert.Equal(_content[50..150], again);
        Assert.Equal(3, registry.RequestsOf(_blob.Digest));

        storage.Inject(Fault.Status(403), int.MaxValue);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, again, Token));
        Assert.Equal(RegistryError.Forbidden, error.Error);
        Assert.DoesNotContain("topsecret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_InCirclesOfRedirects_EndsAfterEight()
    {
        _registry.Inject(Fault.RedirectTo("{path}"), int.MaxValue);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await _source.ReadAsync(0, new byte[10], Token));
        Assert.Equal(RegistryError.UnexpectedResponse, error.Error);
        Assert.Equal(9, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_Cancelled_WhileTheRegistryHangs_IsCancelled()
    {
        _registry.Inject(Fault.Hang);
        using var source = new CancellationTokenSource();
        Task read = _source.ReadAsync(0, new byte[10], source.Token).AsTask();
        await Eventually.TrueAsync(() => _registry.RequestsOf(_blob.Digest) > 0, "the registry is asked");

        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    [Fact]
    public async Task Statistics_CountRequestsAndBytes()
    {
        await ExpectAsync(0, 4096);
        await ExpectAsync(8192, 4096);
        Assert.Equal(2, _client.Statistics.Requests);
        Assert.Equal(8192, _client.Statistics.BytesReceived);
        Assert.Equal(8192, _registry.BytesSentOf(_blob.Digest));
    }

    private async Task ExpectAsync(int offset, int length)
    {
        byte[] buffer = new byte[length];
        await _source.ReadAsync(offset, buffer, Token);
        Assert.True(_content.AsSpan(offset, length).SequenceEqual(buffer));
    }
}
