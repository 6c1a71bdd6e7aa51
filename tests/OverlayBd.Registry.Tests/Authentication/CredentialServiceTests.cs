// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OverlayBd.Registry.Authentication;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Authentication;

/// <summary>The original's modes http and uds, asked of a real server.</summary>
public sealed class CredentialServiceTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private readonly List<string> _asked = [];
    private WebApplication _server = null!;
    private (int Status, string Body) _answer = (200, """{"traceId":"1","success":true,"data":{"auths":{"host:5000":{"auth":"dTpwOnc="},"host:5000/team":{"username":"u2","password":"p2"}}}}""");
    private bool _hangs;

    private string Socket => _directory["credentials.sock"];

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Socket));
        _server = builder.Build();
        _server.Run(async context =>
        {
            _asked.Add($"{context.Request.Path}?{context.Request.Query["remote_url"]}");
            if (_hangs)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            context.Response.StatusCode = _answer.Status;
            await context.Response.WriteAsync(_answer.Body);
        });
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("team/app", "u2", "p2")]
    [InlineData("other/app", "u", "p:w")]
    public async Task LongestName_Wins(string repository, string user, string password)
    {
        using CredentialService service = Create();
        RegistryCredential credential = (await service.GetCredentialAsync("host:5000", repository, TestContext.Current.CancellationToken))!;
        Assert.Equal((user, password), (credential.UserName, credential.Password));
        Assert.Equal($"/auth?https://host:5000/v2/{repository}/blobs", Assert.Single(_asked));
    }

    [Theory]
    [InlineData(200, """{"success":false}""")]
    [InlineData(200, """{"success":true,"data":{"auths":{"elsewhere":{"auth":"dTpw"}}}}""")]
    [InlineData(404, "")]
    public async Task ServiceThatKnowsNothing_MeansNoCredential(int status, string body)
    {
        _answer = (status, body);
        using CredentialService service = Create();
        Assert.Null(await service.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task HelpersThatAServiceNames_AreNotRun()
    {
        string proof = _directory["proof"];
        _answer = (200, $$"""{"success":true,"data":{"credHelpers":{"host:5000":"x;touch {{proof}}"},"credsStore":"evil" } }""");
        using CredentialService service = Create();
        Assert.Null(await service.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken));
        Assert.False(File.Exists(proof));
    }

    [Theory]
    [InlineData(500, "", "500")]
    [InlineData(200, "secret, and no JSON", "JSON")]
    public async Task ServiceThatFails_IsAnErrorWithoutItsWords(int status, string body, string expected)
    {
        _answer = (status, body);
        using CredentialService service = Create();
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => service.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(RegistryError.Credentials, error.Error);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServiceThatDoesNotAnswer_IsAnErrorInTime()
    {
        _hangs = true;
        using CredentialService service = Create(TimeSpan.FromMilliseconds(200));
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => service.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken).AsTask());
        Assert.Contains("0.2 seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServiceThatIsNotThere_IsAnErrorThatNamesIt()
    {
        using CredentialService service = new(new() { Address = new("http://localhost/auth"), Socket = _directory["nobody.sock"] });
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(
            () => service.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken).AsTask());
        Assert.Contains("nobody.sock", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificate_ThatCannotBeRead_IsAnError() => Assert.Throws<RegistryException>(
        () => new CredentialService(new() { Address = new("https://localhost/auth"), RootFile = _directory["nothing.pem"] }));

    [Fact]
    public async Task OptionalFile_MayComeLater()
    {
        ICredentialProvider provider = AuthFiles.Open(_directory["cred.json"], optional: true);
        Assert.Null(await provider.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken));
        await File.WriteAllTextAsync(_directory["cred.json"], """{"auths":{"host:5000":{"auth":"dTpw"}}}""", TestContext.Current.CancellationToken);
        Assert.Equal("u", (await provider.GetCredentialAsync("host:5000", "team/app", TestContext.Current.CancellationToken))?.UserName);
    }

    private CredentialService Create(TimeSpan? timeout = null) =>
        new(new() { Address = new("http://localhost/auth"), Socket = Socket, Timeout = timeout ?? TimeSpan.FromSeconds(30) });
}
