// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OverlayBd.Testing.Registries;

/// <summary>Debian's docker-registry, on a free port of 127.0.0.1, in a directory of its own; it ends with this object.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    /// <summary>The user of a registry that asks for one.</summary>
    public const string UserName = "tester";

    /// <summary>The password of <see cref="UserName"/>.</summary>
    public const string Password = "secret";

    // What htpasswd -B makes of the two above.
    private const string PasswordFile = UserName + ":$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

    private readonly Process _process;
    private readonly TempDirectory _directory;
    private int _disposed;

    private DockerRegistry(Process process, TempDirectory directory, int port)
    {
        _process = process;
        _directory = directory;
        Host = $"127.0.0.1:{port}";
    }

    /// <summary>The registry as HOST:PORT, to put before a repository.</summary>
    public string Host { get; }

    /// <summary>Starts a registry and waits until it answers.</summary>
    /// <param name="authenticated">Whether it wants <see cref="UserName"/> and <see cref="Password"/>.</param>
    /// <param name="cancellationToken">Abandons the start.</param>
    public static async Task<DockerRegistry> StartAsync(bool authenticated = false, CancellationToken cancellationToken = default)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOnceAsync(authenticated, cancellationToken);
            }
            catch (IOException) when (attempt < 5)
            {
                // Somebody else took the port between finding it free and using it.
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _directory.Dispose();
    }

    private static async Task<DockerRegistry> StartOnceAsync(bool authenticated, CancellationToken cancellationToken)
    {
        var directory = new TempDirectory();
        int port = FreePort();
        await File.WriteAllTextAsync(directory["htpasswd"], PasswordFile, cancellationToken);
        await File.WriteAllTextAsync(directory["config.yml"], Configuration(directory, port, authenticated), cancellationToken);
        var start = new ProcessStartInfo("/usr/bin/docker-registry", ["serve", directory["config.yml"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var registry = new DockerRegistry(process, directory, port);
        try
        {
            await registry.WaitUntilItAnswersAsync(cancellationToken);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Configuration(TempDirectory directory, int port, bool authenticated) =>
        $"""
        version: 0.1
        log:
          level: error
          accesslog:
            disabled: true
        storage:
          filesystem:
            rootdirectory: {directory["data"]}
          delete:
            enabled: true
        http:
          addr: 127.0.0.1:{port}
        {(authenticated ? $"auth:\n  htpasswd:\n    realm: tests\n    path: {directory["htpasswd"]}" : "")}
        """;

    private async Task WaitUntilItAnswersAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://{Host}/v2/") };
        for (int i = 0; i < 300; i++)
        {
            if (_process.HasExited)
            {
                throw new IOException($"docker-registry ended with status {_process.ExitCode}.");
            }

            try
            {
                using HttpResponseMessage response = await client.GetAsync("", cancellationToken);
                if (response.Headers.Contains("Docker-Distribution-Api-Version"))
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(50, cancellationToken);
        }

        throw new TimeoutException("docker-registry does not answer.");
    }
}
