// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

public sealed class BlobStreamTests : IAsyncLifetime
{
    private readonly byte[] _content = TestClient.RandomBytes(500_000);
    private readonly RegistryClient _client = TestClient.Create();
    private FaultyRegistry _registry = null!;
    private Descriptor _blob = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await FaultyRegistry.StartAsync(cancellationToken: Token);
        _blob = _registry.AddBlob("team/app", _content);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task OpenBlob_ThatBreaksHalfway_GoesOnWhereItBroke()
    {
        _registry.Inject(Fault.CloseAfter(200_000));
        _registry.Inject(Fault.CloseAfter(100_000));
        Assert.Equal(_content, await ReadAsync());
        Assert.Equal(3, _registry.RequestsOf(_blob.Digest));
        Assert.Null(_registry.Requests[0].Range);
        Assert.EndsWith("-", _registry.Requests[2].Range, StringComparison.Ordinal);
        Assert.InRange(_client.Statistics.BytesReceived, _content.Length, _content.Length);
    }

    [Fact]
    public async Task OpenBlob_OfWrongBytes_ThrowsAtTheEnd()
    {
        _registry.Inject(Fault.WrongBytes);
        InvalidDataException error = await Assert.ThrowsAsync<InvalidDataException>(ReadAsync);
        Assert.Contains(_blob.Digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenBlob_OfAnotherBlob_ThrowsBecauseOfItsSizeOrItsDigest()
    {
        Descriptor same = _registry.AddBlob("team/app", TestClient.RandomBytes(_content.Length, 2));
        Descriptor shorter = _registry.AddBlob("team/app", TestClient.RandomBytes(1000, 3));
        _registry.Inject(Fault.OtherBlob(same.Digest));
        await Assert.ThrowsAsync<InvalidDataException>(ReadAsync);
        _registry.Inject(Fault.OtherBlob(shorter.Digest), int.MaxValue);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(ReadAsync);
        Assert.Contains("descriptor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenBlob_WhoseResumptionIgnoresTheRange_IsRefused()
    {
        _registry.Inject(Fault.CloseAfter(200_000));
        _registry.Inject(Fault.IgnoreRange);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(ReadAsync);
        Assert.Contains("ignores ranges", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadBlob_LongerThanTheLimit_IsRefused_WithoutAsking()
    {
        await Assert.ThrowsAsync<InvalidDataException>(() => _client.Repository(_registry).ReadBlobAsync(_blob, 1000, Token));
        Assert.Empty(_registry.Requests);
        Assert.Equal(_content, await _client.Repository(_registry).ReadBlobAsync(_blob, _content.Length, Token));
    }

    private async Task<byte[]> ReadAsync() =>
        await TestClient.ReadToEndAsync(await _client.Repository(_registry).OpenBlobAsync(_blob, Token));
}
