// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Testing;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests.Endpoints;

/// <summary>TLS, and the mirrors of containerd's hosts.toml.</summary>
public sealed class EndpointTests : IDisposable
{
    private static readonly byte[] s_content = TestClient.RandomBytes(1000);

    private readonly TempDirectory _directory = new();
    private readonly Descriptor _blob = new() { MediaType = MediaTypes.OciLayer, Digest = Digest.Sha256(s_content), Size = s_content.Length };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Tls_WithAnUnknownRoot_IsRefused_ByDefault()
    {
        await using FaultyRegistry registry = await StartAsync(tls: true);
        using RegistryClient client = TestClient.Create();
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, registry.Host));
        Assert.Equal(RegistryError.Tls, error.Error);
        Assert.Empty(registry.Requests);
        Assert.Equal(0, client.Statistics.Retries);
    }

    [Fact]
    public async Task Tls_WithTheRootInTheCertDirectory_Works()
    {
        await using FaultyRegistry registry = await StartAsync(tls: true);
        await File.WriteAllTextAsync(_directory["ca.crt"], registry.CertificatePem, Token);
        using RegistryClient client = TestClient.Create(options => options.CertDirectory = _directory.Path);
        Assert.Equal(s_content, await ReadAsync(client, registry.Host));
    }

    [Fact]
    public async Task Tls_WithAnotherRoot_OrForAnotherName_IsRefused()
    {
        await using FaultyRegistry registry = await StartAsync(tls: true);
        await using FaultyRegistry other = await StartAsync(tls: true);
        await File.WriteAllTextAsync(_directory["ca.crt"], other.CertificatePem, Token);
        using RegistryClient client = TestClient.Create(options => options.CertDirectory = _directory.Path);
        Assert.Equal(RegistryError.Tls, (await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, registry.Host))).Error);
        string alias = other.Host.Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal);
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, alias));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TlsVerifyOff_TakesAnyCertificate_AndNone(bool tls)
    {
        await using FaultyRegistry registry = await StartAsync(tls);
        using RegistryClient client = TestClient.Create(options => options.TlsVerify = false);
        Assert.Equal(s_content, await ReadAsync(client, registry.Host));
    }

    [Fact]
    public async Task Redirect_ThatGivesUpTls_IsRefused()
    {
        await using FaultyRegistry plain = await StartAsync(tls: false);
        await using FaultyRegistry registry = await StartAsync(tls: true);
        registry.Inject(Fault.RedirectTo(plain.Address + "{path}"));
        using RegistryClient client = TestClient.Create(options => options.TlsVerify = false);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, registry.Host));
        Assert.Equal(RegistryError.UnexpectedResponse, error.Error);
        Assert.Contains("without TLS", error.Message, StringComparison.Ordinal);
        Assert.Empty(plain.Requests);
    }

    [Fact]
    public async Task Mirrors_AreAskedInOrder_WithTheirOwnHeaders_AndTheRegistryLast()
    {
        await using FaultyRegistry first = await FaultyRegistry.StartAsync(cancellationToken: Token);
        await using FaultyRegistry second = await StartAsync(tls: true);
        await using FaultyRegistry origin = await StartAsync(tls: false);
        WriteHosts("registry.example", $"""
            # the registry itself
            server = "{origin.Address}"

            [host."{first.Address}"]
              capabilities = ["pull", "resolve"]
              [host."{first.Address}".header]
                X-Mirror = ["one"]

            [host.'{second.Address}/v2']
              capabilities = [
                "pull", # not resolve
              ]
              skip_verify = true
            """);
        using RegistryClient client = TestClient.Create(options => options.HostsDirectory = _directory.Path);
        Assert.Equal(s_content, await ReadAsync(client, "registry.example"));
        RecordedRequest request = Assert.Single(first.Requests);
        Assert.Equal("?ns=registry.example", request.Query);
        Assert.Equal("one", request.Headers["X-Mirror"]);
        Assert.DoesNotContain("X-Mirror", Assert.Single(second.Requests).Headers.Keys);
        Assert.Empty(origin.Requests);

        // A second mirror that may not resolve is left out for tags; the origin answers.
        origin.AddManifest("team/app", "v1", "{\"schemaVersion\":2}"u8.ToArray());
        ImageRepository repository = client.GetRepository(ImageReference.Parse("registry.example/team/app"));
        await repository.GetManifestAsync("v1", Token);
        Assert.Single(second.Requests);
        Assert.Single(origin.Requests);

        // Writing goes to the origin only.
        await repository.PushManifestAsync("{\"schemaVersion\":2}"u8.ToArray(), MediaTypes.OciManifest, "v2", Token);
        Assert.Equal(2, first.Requests.Count);
        Assert.NotNull(origin.GetManifest("team/app", "v2"));
    }

    [Fact]
    public async Task Mirrors_ThatAllFail_AreOneTry()
    {
        await using FaultyRegistry mirror = await StartAsync(tls: false);
        await using FaultyRegistry origin = await StartAsync(tls: false);
        mirror.Inject(Fault.Status(500), int.MaxValue);
        origin.Inject(Fault.Status(500), int.MaxValue);
        WriteHosts("_default", $"server = \"{origin.Address}\"\n[host.\"{mirror.Address}\"]\n");
        using RegistryClient client = TestClient.Create(options => (options.HostsDirectory, options.MaxAttempts) = (_directory.Path, 3));
        await Assert.ThrowsAsync<RegistryException>(() => ReadAsync(client, "registry.example"));
        Assert.Equal((3, 3), (mirror.Requests.Count, origin.Requests.Count));
    }

    [Theory]
    [InlineData("server = ", "line 1")]
    [InlineData("server = \"https://x\"\nserver = \"https://y\"", "line 2")]
    [InlineData("[host.\"https://x\"\n", "line 1")]
    [InlineData("a = \"unclosed", "line 1")]
    [InlineData("a = [1, 2", "line 1")]
    [InlineData("[[host]]", "arrays of tables")]
    [InlineData("skip_verify = \"yes\"", "skip_verify")]
    [InlineData("[host.\"ftp://x\"]", "http or https")]
    public void Hosts_Malformed_NameFileAndPlace(string content, string expected)
    {
        WriteHosts("registry.example", content);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => HostsDirectory.Find(_directory.Path, "registry.example"));
        Assert.Contains("hosts.toml", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:5000", true)]
    [InlineData("127.1.2.3:80", true)]
    [InlineData("[::1]:5000", true)]
    [InlineData("10.0.0.1:5000", false)]
    [InlineData("localhost.example", false)]
    [InlineData("127.0.0.1.example", false)]
    public void IsLocal_KnowsThisMachine(string host, bool expected) => Assert.Equal(expected, EndpointResolver.IsLocal(host));

    private static async Task<FaultyRegistry> StartAsync(bool tls)
    {
        FaultyRegistry registry = await FaultyRegistry.StartAsync(new FaultyRegistryOptions { UseTls = tls }, Token);
        registry.AddBlob("team/app", s_content);
        return registry;
    }

    private async Task<byte[]> ReadAsync(RegistryClient client, string host) =>
        await client.GetRepository(ImageReference.Parse($"{host}/team/app")).ReadBlobAsync(_blob, 10_000, Token);

    private void WriteHosts(string registry, string content)
    {
        Directory.CreateDirectory(_directory[registry]);
        File.WriteAllText(Path.Combine(_directory[registry], "hosts.toml"), content);
    }
}
