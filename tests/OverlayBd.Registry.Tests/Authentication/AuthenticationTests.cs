// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Time.Testing;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Authentication;

/// <summary>Tokens: who gets them, how long they are kept, and where they never go.</summary>
public sealed class AuthenticationTests
{
    private const string UserName = "tester";
    private const string Password = "p4ss-w0rd-never-seen";

    private static readonly byte[] s_content = TestClient.RandomBytes(10_000);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer realm=\"{realm}\"")]
    [InlineData("bearer service=\"s\" , realm=\"{realm}\"")]
    [InlineData("Basic realm=\"a,b\", Bearer scope=\"repository:team/app:pull\", realm=\"{realm}\"")]
    [InlineData("Negotiate, Bearer realm=\"{realm}?already=there\"")]
    public async Task Bearer_WithAnyKindOfChallenge_GetsOneToken(string? challenge)
    {
        await using FaultyRegistry registry = await StartAsync(challenge: challenge);
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        for (int i = 0; i < 3; i++)
        {
            await source.ReadAsync(i, new byte[100], Token);
        }

        RecordedRequest request = Assert.Single(registry.TokenRequests);
        Assert.Contains("scope=repository%3Ateam%2Fapp%3Apull", request.Query, StringComparison.Ordinal);
        Assert.Equal(1, client.Statistics.TokenRequests);
        Assert.Equal(4, registry.RequestsOf(Digest.Sha256(s_content)));
    }

    [Fact]
    public async Task Bearer_AskedByManyAtOnce_IsFetchedOnce()
    {
        await using FaultyRegistry registry = await StartAsync();
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => source.ReadAsync(i, new byte[100], Token).AsTask()));
        Assert.Single(registry.TokenRequests);
    }

    [Fact]
    public async Task Bearer_Expired_IsRenewedOnce_AndThenGivenUp()
    {
        await using FaultyRegistry registry = await StartAsync();
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        await source.ReadAsync(0, new byte[100], Token);
        registry.ExpireTokens();
        await source.ReadAsync(0, new byte[100], Token);
        Assert.Equal(2, registry.TokenRequests.Count);

        registry.Inject(
            Fault.Status(401), int.MaxValue, request => request.IsBlobRead); // whatever the token
        int before = registry.RequestsOf(Digest.Sha256(s_content));
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, new byte[100], Token));
        Assert.Equal(RegistryError.UnexpectedResponse, error.Error); // a 401 that does not say how to authenticate
        Assert.Equal(before + 1, registry.RequestsOf(Digest.Sha256(s_content)));
    }

    [Fact]
    public async Task Bearer_ThatIsNeverAccepted_IsRenewedOnce()
    {
        await using FaultyRegistry registry = await StartAsync();
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        await source.ReadAsync(0, new byte[100], Token);
        registry.Inject(Fault.Status(200, body: "{\"token\":\"useless\",\"expires_in\":3600}"), int.MaxValue, request => request.Path == "/token");
        registry.ExpireTokens();
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, new byte[100], Token));
        Assert.Equal(RegistryError.Unauthorized, error.Error);
        Assert.Equal(2, registry.TokenRequests.Count);
    }

    [Theory]
    [InlineData(100, 79, 1)]
    [InlineData(100, 81, 2)]
    [InlineData(3600, 3539, 1)]
    [InlineData(3600, 3541, 2)]
    [InlineData(null, 47, 1)]
    [InlineData(null, 49, 2)]
    public async Task Bearer_IsRenewed_ShortlyBeforeItExpires(int? lifetime, int seconds, int expected)
    {
        var time = new FakeTimeProvider();
        await using FaultyRegistry registry = await StartAsync(lifetime: lifetime);
        using RegistryClient client = CreateClient(options =>
        {
            options.TimeProvider = time;
            options.MaxAttempts = 1; // a second one would wait for the clock, which only this test moves
            options.HeaderTimeout = options.StallTimeout = TimeSpan.FromDays(1);
        });
        BlockSource source = await OpenAsync(client, registry);
        await source.ReadAsync(0, new byte[100], Token);
        time.Advance(TimeSpan.FromSeconds(seconds));
        await source.ReadAsync(0, new byte[100], Token);
        Assert.Equal(expected, registry.TokenRequests.Count);
    }

    [Fact]
    public async Task Bearer_ForTwoRepositories_AreTwoTokens()
    {
        await using FaultyRegistry registry = await StartAsync();
        registry.AddBlob("team/other", s_content);
        using RegistryClient client = CreateClient();
        await (await OpenAsync(client, registry)).ReadAsync(0, new byte[100], Token);
        await (await OpenAsync(client, registry, "team/other")).ReadAsync(0, new byte[100], Token);
        Assert.Equal(2, registry.TokenRequests.Count);
    }

    [Fact]
    public async Task IdentityToken_IsPosted()
    {
        await using FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions { Authentication = FaultyRegistryAuthentication.Bearer, IdentityToken = "identity" }, Token);
        registry.AddBlob("team/app", s_content);
        using RegistryClient client = TestClient.Create(
            options => options.CredentialProvider = new FixedCredential(RegistryCredential.FromIdentityToken("identity")));
        await (await OpenAsync(client, registry)).ReadAsync(0, new byte[100], Token);
        RecordedRequest request = Assert.Single(registry.TokenRequests);
        Assert.Equal("POST", request.Method);
        Assert.Null(request.Authorization);
        Assert.Empty(request.Query);
    }

    [Fact]
    public async Task Basic_IsSentFromTheSecondRequestOn()
    {
        await using FaultyRegistry registry = await StartAsync(FaultyRegistryAuthentication.Basic);
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        await source.ReadAsync(0, new byte[100], Token);
        await source.ReadAsync(0, new byte[100], Token);
        Assert.Equal([true, false, false], registry.Requests.Select(request => request.Authorization is null));
    }

    [Theory]
    [InlineData("Digest realm=\"x\"", "Digest")]
    [InlineData("Bearer service=\"x\"", "no address")]
    [InlineData("Bearer realm=\"ftp://host/token\"", "no address")]
    [InlineData("", "WWW-Authenticate")]
    public async Task Challenge_ThatCannotBeAnswered_IsExplained(string challenge, string expected)
    {
        await using FaultyRegistry registry = await StartAsync(challenge: challenge);
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, new byte[100], Token));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("{\"token\":\"\"}")]
    [InlineData("{\"token\":\"with\\r\\nInjected: header\"}")]
    [InlineData("[]")]
    public async Task TokenServer_ThatAnswersNoToken_IsExplained(string body)
    {
        await using FaultyRegistry registry = await StartAsync();
        registry.Inject(Fault.Status(200, body: body), int.MaxValue, request => request.Path == "/token");
        using RegistryClient client = CreateClient();
        BlockSource source = await OpenAsync(client, registry);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(0, new byte[100], Token));
        Assert.Contains("no token", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_AppearInNoMessage_AndInNoLogLine()
    {
        using var logs = new RecordingLoggerFactory();
        var messages = new List<string>();
        foreach (FaultyRegistryAuthentication kind in new[] { FaultyRegistryAuthentication.Basic, FaultyRegistryAuthentication.Bearer })
        {
            await using FaultyRegistry storage = await FaultyRegistry.StartAsync(cancellationToken: Token);
            await using FaultyRegistry registry = await StartAsync(kind);
            using RegistryClient client = CreateClient(logs: logs);
            BlockSource source = await OpenAsync(client, registry);
            await source.ReadAsync(0, new byte[100], Token);
            foreach (Fault fault in new[]
            {
                Fault.Status(500), Fault.Status(403, body: "<html>?signature=s1gn4ture</html>"), Fault.Abort, Fault.IgnoreRange,
                Fault.RedirectTo($"http://{UserName}:{Password}@{storage.Host}{{path}}?signature=s1gn4ture"),
            })
            {
                registry.Inject(fault, int.MaxValue);
                RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await source.ReadAsync(1, new byte[100], Token));
                messages.Add(error.ToString());
                registry.ClearFaults();
            }

            Assert.All(storage.Requests, request => Assert.Null(request.Authorization));
            using RegistryClient wrong = CreateClient(options => options.Password = "wr0ng-but-secret", logs);
            messages.Add((await Assert.ThrowsAsync<RegistryException>(
                async () => await (await OpenAsync(wrong, registry)).ReadAsync(0, new byte[100], Token))).ToString());
            foreach (string text in messages.Concat(logs.Lines))
            {
                Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
                Assert.DoesNotContain("wr0ng", text, StringComparison.Ordinal);
                Assert.DoesNotContain("s1gn4ture", text, StringComparison.Ordinal);
                Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{UserName}:{Password}")), text, StringComparison.Ordinal);
                Assert.All(registry.Tokens, token => Assert.DoesNotContain(token, text, StringComparison.Ordinal));
            }
        }

        Assert.NotEmpty(logs.Lines);
    }

    private static async Task<FaultyRegistry> StartAsync(
        FaultyRegistryAuthentication kind = FaultyRegistryAuthentication.Bearer, string? challenge = null, int? lifetime = 300)
    {
        FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions
            {
                Authentication = kind,
                UserName = UserName,
                Password = Password,
                Challenge = challenge,
                TokenLifetime = lifetime,
            },
            Token);
        registry.AddBlob("team/app", s_content);
        return registry;
    }

    private static RegistryClient CreateClient(Action<RegistryClientOptions>? configure = null, RecordingLoggerFactory? logs = null) =>
        TestClient.Create(
            options =>
            {
                (options.UserName, options.Password) = (UserName, Password);
                configure?.Invoke(options);
            },
            logs);

    private static ValueTask<BlockSource> OpenAsync(RegistryClient client, FaultyRegistry registry, string repository = "team/app") =>
        client.Repository(registry, repository).OpenBlobSourceAsync(
            new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(s_content), Size = s_content.Length }, Token);

    private sealed class FixedCredential(RegistryCredential credential) : ICredentialProvider
    {
        public ValueTask<RegistryCredential?> GetCredentialAsync(
            string registry, string repository, CancellationToken cancellationToken = default) => new(credential);
    }
}
