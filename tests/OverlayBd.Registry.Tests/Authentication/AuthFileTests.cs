// SPDX-License-Identifier: Apache-2.0

using System.Runtime.Versioning;
using System.Text;
using OverlayBd.Registry.Authentication;
using OverlayBd.Testing;

namespace OverlayBd.Registry.Tests.Authentication;

[UnsupportedOSPlatform("windows")]
public sealed class AuthFileTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("host:5000", "team/app/x", "app")]
    [InlineData("host:5000", "team/app", "app")]
    [InlineData("host:5000", "team/other", "team")]
    [InlineData("host:5000", "teams", "host")]
    [InlineData("docker.io", "library/redis", "hub")]
    [InlineData("old.example", "x", "old")]
    [InlineData("plain.example", "x", "plain")]
    [InlineData("empty.example", "x", null)]
    [InlineData("unknown.example", "x", null)]
    public async Task GetCredential_TakesTheLongestName(string registry, string repository, string? user)
    {
        AuthFileCredentials file = Write($$"""
            {"auths": {
              "host:5000": {"auth": "{{Encode("host:p:with:colons")}}"},
              "host:5000/team/app": {"auth": "{{Encode("app:p")}}"},
              "host:5000/team": {"auth": "{{Encode("team:p")}}"},
              "https://index.docker.io/v1/": {"auth": "{{Encode("hub:p")}}"},
              "https://old.example/v2/": {"auth": "{{Encode("old:p")}}"},
              "plain.example": {"username": "plain", "password": "p"},
              "empty.example": {}
            }, "HttpHeaders": {"x": "y"} }
            """);
        RegistryCredential? credential = await file.GetCredentialAsync(registry, repository, Token);
        Assert.Equal(user, credential?.UserName);
        Assert.Equal(user is null ? null : user == "host" ? "p:with:colons" : "p", credential?.Password);
    }

    [Fact]
    public async Task GetCredential_OfAnIdentityToken_GivesIt()
    {
        AuthFileCredentials file = Write($$"""{"auths": {"host": {"auth": "{{Encode("user:")}}", "identitytoken": "secret"} } }""");
        RegistryCredential credential = (await file.GetCredentialAsync("host", "x", Token))!;
        Assert.Equal("secret", credential.IdentityToken);
        Assert.DoesNotContain("secret", credential.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"auths\": {\"host\": {\"auth\": \"s3cret!\"}}}")]
    [InlineData("{\"auths\": {\"host\": {\"auth\": \"czNjcmV0\"}}}")]
    [InlineData("{\"auths\": s3cret}")]
    [InlineData("s3cret")]
    public async Task GetCredential_OfAMalformedFile_NamesIt_AndQuotesNothing(string content)
    {
        AuthFileCredentials file = Write(content);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await file.GetCredentialAsync("host", "x", Token));
        Assert.Equal(RegistryError.Credentials, error.Error);
        Assert.Contains(_directory["auth.json"], error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetCredential_OfAChangedFile_ReadsItAgain()
    {
        AuthFileCredentials file = Write($$"""{"auths": {"host": {"auth": "{{Encode("a:p")}}"} } }""");
        Assert.Equal("a", (await file.GetCredentialAsync("host", "x", Token))?.UserName);
        Write($$"""{"auths": {"host": {"auth": "{{Encode("second:p")}}"} } }""");
        Assert.Equal("second", (await file.GetCredentialAsync("host", "x", Token))?.UserName);
    }

    [Fact]
    public async Task Helper_IsAskedForItsHost()
    {
        string program = await WriteHelperAsync("""read server; echo "{\"ServerURL\":\"$server\",\"Username\":\"u-$server\",\"Secret\":\"s\"}" """);
        AuthFileCredentials file = Write($$"""{"credHelpers": {"host:5000": "{{program}}"}, "auths": {"host:5000": {} } }""");
        Assert.Equal("u-host:5000", (await file.GetCredentialAsync("host:5000", "x", Token))?.UserName);
        Assert.Null(await file.GetCredentialAsync("other", "x", Token));
        file = Write($$"""{"credsStore": "{{program}}", "auths": {"https://index.docker.io/v1/": {} } }""");
        Assert.Equal("u-https://index.docker.io/v1/", (await file.GetCredentialAsync("docker.io", "library/x", Token))?.UserName);
    }

    [Theory]
    [InlineData("echo 'credentials not found in native keychain'; exit 1", null)]
    [InlineData("echo boom >&2; exit 3", "status 3: boom")]
    [InlineData("echo not-json", "not JSON")]
    [InlineData("exec sleep 600", "did not answer")]
    public async Task Helper_ThatFails_IsExplained(string script, string? expected)
    {
        string program = await WriteHelperAsync(script);
        var helper = new CredentialHelper(TimeProvider.System, expected == "did not answer" ? TimeSpan.FromMilliseconds(300) : CredentialHelper.DefaultLimit);
        if (expected is null)
        {
            Assert.Null(await helper.GetAsync(program, "host", Token));
            return;
        }

        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await helper.GetAsync(program, "host", Token));
        Assert.Equal(RegistryError.Credentials, error.Error);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no-such-helper")]
    [InlineData("../../bin/sh")]
    public async Task Helper_ThatIsNotThere_IsExplained(string name)
    {
        var helper = new CredentialHelper(TimeProvider.System, CredentialHelper.DefaultLimit);
        RegistryException error = await Assert.ThrowsAsync<RegistryException>(async () => await helper.GetAsync(name, "host", Token));
        Assert.Equal(RegistryError.Credentials, error.Error);
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private AuthFileCredentials Write(string content)
    {
        File.WriteAllText(_directory["auth.json"], content);
        return new AuthFileCredentials(_directory["auth.json"], new CredentialHelper(TimeProvider.System, CredentialHelper.DefaultLimit));
    }

    /// <summary>Puts a helper into a directory of the path; returns its name. Names are unique, so tests do not meet.</summary>
    private async Task<string> WriteHelperAsync(string script)
    {
        string name = "test-" + Guid.NewGuid().ToString("N");
        string path = _directory["docker-credential-" + name];
        await File.WriteAllTextAsync(path, "#!/bin/sh\n" + script + "\n", Token);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("PATH", $"{_directory.Path}:{Environment.GetEnvironmentVariable("PATH")}");
        return name;
    }
}
