// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Distribution;

/// <summary>How often and when an operation is tried, by a clock that the test moves.</summary>
public sealed class RetryBudgetTests : IAsyncLifetime
{
    private readonly TestClock _time = new();
    private FaultyRegistry _registry = null!;
    private Descriptor _blob = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await FaultyRegistry.StartAsync(cancellationToken: Token);
        _blob = _registry.AddBlob("team/app", TestClient.RandomBytes(10_000));
    }

    public async ValueTask DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public async Task Read_OfARegistryThatAlwaysFails_IsTriedExactlyAsOftenAsAllowed(int attempts)
    {
        _registry.Inject(Fault.Status(500), int.MaxValue);
        using RegistryClient client = CreateClient(attempts);
        BlockSource source = await client.Repository(_registry).OpenBlobSourceAsync(_blob, Token);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => _time.PassUntilAsync(source.ReadAsync(0, new byte[10], Token).AsTask()));
        Assert.Equal(RegistryError.Unavailable, error.Error);
        Assert.Equal(attempts, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_AuthenticatedAndRedirected_HasTheSameBudget()
    {
        await using FaultyRegistry storage = await FaultyRegistry.StartAsync(cancellationToken: Token);
        storage.Inject(Fault.Status(500), int.MaxValue);
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions { Authentication = FaultyRegistryAuthentication.Bearer }, Token);
        registry.Inject(
            Fault.RedirectTo(storage.Address + "{path}"), int.MaxValue, request => request.IsBlobRead && request.Authorization is not null);
        using RegistryClient client = CreateClient(4);
        BlockSource source = await client.Repository(registry).OpenBlobSourceAsync(_blob, Token);
        await Assert.ThrowsAsync<RegistryException>(() => _time.PassUntilAsync(source.ReadAsync(0, new byte[10], Token).AsTask()));
        Assert.Equal(4, storage.RequestsOf(_blob.Digest));
        Assert.Single(registry.TokenRequests);
    }

    [Fact]
    public async Task Read_WhileTheTokenServerFails_SpendsTheSameBudget()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions { Authentication = FaultyRegistryAuthentication.Bearer }, Token);
        registry.AddBlob("team/app", TestClient.RandomBytes(10_000));
        registry.Inject(Fault.Status(503), int.MaxValue, request => request.Path == "/token");
        using RegistryClient client = CreateClient(4);
        BlockSource source = await client.Repository(registry).OpenBlobSourceAsync(_blob, Token);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => _time.PassUntilAsync(source.ReadAsync(0, new byte[10], Token).AsTask()));
        Assert.Equal(RegistryError.Unavailable, error.Error);
        Assert.Equal(4, registry.TokenRequests.Count);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("100000", 30)]
    public async Task Read_ToldToComeBackLater_WaitsThatLong_ButNotLongerThanAllowed(string retryAfter, int seconds)
    {
        _registry.Inject(Fault.Status(429, retryAfter));
        using RegistryClient client = CreateClient(5);
        BlockSource source = await client.Repository(_registry).OpenBlobSourceAsync(_blob, Token);
        Task read = source.ReadAsync(0, new byte[10], Token).AsTask();
        await _time.UntilWaitedForAsync(TimeSpan.FromSeconds(seconds));
        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _registry.RequestsOf(_blob.Digest));
        Assert.False(read.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await _time.PassUntilAsync(read);
        Assert.Equal(2, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Read_ToldADate_WaitsUntilThen()
    {
        _registry.Inject(Fault.Status(503, (_time.GetUtcNow() + TimeSpan.FromSeconds(20)).ToString("R")));
        using RegistryClient client = CreateClient(5);
        BlockSource source = await client.Repository(_registry).OpenBlobSourceAsync(_blob, Token);
        Task read = source.ReadAsync(0, new byte[10], Token).AsTask();
        await _time.UntilWaitedForAsync(TimeSpan.FromSeconds(20));
        _time.Advance(TimeSpan.FromSeconds(20) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _registry.RequestsOf(_blob.Digest));
        Assert.False(read.IsCompleted);
        await _time.PassUntilAsync(read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_OfARegistryThatHangs_TimesOut(bool beforeHeaders)
    {
        _registry.Inject(beforeHeaders ? Fault.Hang : Fault.StallAfter(0), int.MaxValue);
        using RegistryClient client = CreateClient(2, TimeSpan.FromSeconds(30));
        BlockSource source = await client.Repository(_registry).OpenBlobSourceAsync(_blob, Token);
        Task read = source.ReadAsync(0, new byte[10], Token).AsTask();
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => _time.PassUntilAsync(read));
        Assert.Equal(RegistryError.Timeout, error.Error);
        Assert.InRange(_registry.RequestsOf(_blob.Digest), 1, 2);
    }

    [Fact]
    public async Task OpenBlob_ThatBreaksAgainAndAgain_HasOneBudgetForAll()
    {
        _registry.Inject(Fault.CloseAfter(1000), int.MaxValue);
        using RegistryClient client = CreateClient(4);
        // The connection may break before the first answer's headers are read, so that opening waits for the clock as well.
        await Assert.ThrowsAsync<RegistryException>(() => _time.PassUntilAsync(ReadToEndAsync(client.Repository(_registry))));
        Assert.Equal(4, _registry.RequestsOf(_blob.Digest));
    }

    [Fact]
    public async Task Server_ThatCannotBeReached_IsTriedOnce_WhileFailuresAreToBeFast()
    {
        using Socket nobody = new(SocketType.Stream, ProtocolType.Tcp); // bound and not listening: connections are refused
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using RegistryClient client = TestClient.Create(options => options.MaxAttempts = 3);
        int port = ((IPEndPoint)nobody.LocalEndPoint!).Port;
        ImageRepository repository = client.GetRepository(ImageReference.Parse($"127.0.0.1:{port}/team/app"));
        BlockSource source = await repository.OpenBlobSourceAsync(_blob, Token);
        using (repository.FailFast())
        {
            using (repository.FailFast())
            {
            }

            RegistryException once = await Assert.ThrowsAsync<RegistryException>(() => source.ReadAsync(0, new byte[10], Token).AsTask());
            Assert.Equal((RegistryError.Unavailable, 1), (once.Error, client.Statistics.Requests));
            Assert.Contains("no connection", once.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<RegistryException>(() => repository.GetManifestAsync("v1", Token));
            Assert.Equal(2, client.Statistics.Requests);
        }

        RegistryException more = await Assert.ThrowsAsync<RegistryException>(() => source.ReadAsync(0, new byte[10], Token).AsTask());
        Assert.Contains("Gave up after 3 attempts", more.Message, StringComparison.Ordinal);
        Assert.Equal(5, client.Statistics.Requests);
    }

    [Fact]
    public async Task Server_ThatAnswersBadly_IsTriedAgain_AlsoWhileFailuresAreToBeFast()
    {
        _registry.Inject(Fault.Status(500), 2);
        using RegistryClient client = TestClient.Create();
        ImageRepository repository = client.Repository(_registry);
        using IDisposable urgent = repository.FailFast();
        BlockSource source = await repository.OpenBlobSourceAsync(_blob, Token);
        await source.ReadAsync(0, new byte[10], Token);
        Assert.Equal(3, _registry.RequestsOf(_blob.Digest));
    }

    private RegistryClient CreateClient(int attempts, TimeSpan? limit = null) => TestClient.Create(options =>
    {
        options.TimeProvider = _time;
        options.MaxAttempts = attempts;
        options.RetryDelay = TimeSpan.FromSeconds(1);
        options.MaxRetryDelay = TimeSpan.FromSeconds(30);
        options.HeaderTimeout = options.StallTimeout = limit ?? TimeSpan.FromDays(40);
    });

    private async Task ReadToEndAsync(ImageRepository repository) =>
        await TestClient.ReadToEndAsync(await repository.OpenBlobAsync(_blob, Token));
}
