// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using OverlayBd.Testing;
using OverlayBd.Vm.Tests.Guest;

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>The daemon as its unit starts it, with a configuration, a run directory and a cache of its own; it can be killed and started again.</summary>
internal sealed class BackstoreDaemon : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private Process? _process;

    public BackstoreDaemon(JsonObject? settings = null)
    {
        Socket = this["run/backstore.sock"];
        JsonObject config = new()
        {
            ["cacheConfig"] = new JsonObject { ["cacheType"] = "file", ["cacheDir"] = this["cache"], ["cacheSizeGB"] = 1 },
            ["credentialConfig"] = new JsonObject { ["mode"] = "file", ["path"] = this["cred.json"] },
            ["logConfig"] = new JsonObject { ["logPath"] = this["daemon.log"], ["logLevel"] = 1 },
            ["auditPath"] = this["audit.log"],
            ["backstoreConfig"] = new JsonObject { ["socket"] = Socket, ["runDir"] = this["run"], ["device"] = "tcmu", ["requestTimeout"] = 20 },
        };
        Merge(config, settings ?? []);
        File.WriteAllText(this["overlaybd.json"], config.ToJsonString());
        Http = new(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new("http://localhost/v1/"), Timeout = TimeSpan.FromMinutes(2) };
    }

    public string Socket { get; }

    public HttpClient Http { get; }

    public int ProcessId => _process!.Id;

    public string this[string name] => _directory[name];

    private static string Program
    {
        get
        {
            string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
            return Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "overlaybd-backstore", configuration, "overlaybd-backstore"));
        }
    }

    public static async Task<BackstoreDaemon> RunAsync(JsonObject? settings = null)
    {
        BackstoreDaemon daemon = new(settings);
        try
        {
            await daemon.StartAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the daemon and waits until it answers.</summary>
    public async Task StartAsync()
    {
        _process = StartProcess("--config", this["overlaybd.json"]);
        long start = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            Assert.False(_process.HasExited, "The daemon ended.\n" + ReadLog());
            Assert.True(Stopwatch.GetElapsedTime(start) < Eventually.Patience, $"The daemon does not answer after {Eventually.Patience}.\n{ReadLog()}");
            await Task.Delay(20);
        }
    }

    /// <summary>Starts the program for something else, such as to check a configuration; the caller sees its end.</summary>
    public Process StartProcess(params string[] arguments)
    {
        // Through a shell, so that what it says is in one file for all of its lives.
        ProcessStartInfo info = new("/bin/sh", ["-c", "exec \"$@\" 2>>\"$0\"", this["stderr"], Program, .. arguments]) { RedirectStandardOutput = false };
        return Process.Start(info)!;
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<int> TerminateAsync()
    {
        await Shell.RunAsync("kill", "-TERM", $"{_process!.Id}");
        await _process.WaitForExitAsync().WaitAsync(Eventually.Patience);
        return _process.ExitCode;
    }

    public string ReadLog() => string.Concat(((string[])["stderr", "daemon.log"]).Select(name => this[name]).Where(File.Exists).Select(File.ReadAllText));

    public async Task<JsonNode> GetAsync(string path) => (await Http.GetFromJsonAsync<JsonNode>(path))!;

    /// <summary>Sends a request that must succeed.</summary>
    public async Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        (int status, JsonNode? answer) = await TrySendAsync(method, path, body);
        Assert.True(status is >= 200 and < 300, $"{method} {path}: {status} {answer}\n{ReadLog()}");
        return answer;
    }

    public async Task<(int Status, JsonNode? Answer)> TrySendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using HttpRequestMessage request = new(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = await Http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Takes away what a test left, and ends the daemon.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is not null && Directory.Exists(this["run/attachments"]) && Directory.GetFiles(this["run/attachments"]).Length > 0)
            {
                await DetachAllAsync();
            }

            if (_process is { HasExited: false })
            {
                await TerminateAsync();
            }
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }

        Http.Dispose();
        _process?.Dispose();
        _directory.Dispose();
    }

    private static void Merge(JsonObject target, JsonObject source)
    {
        foreach ((string name, JsonNode? value) in source)
        {
            if (target[name] is JsonObject inner && value is JsonObject changes)
            {
                Merge(inner, changes);
            }
            else
            {
                target[name] = value!.DeepClone();
            }
        }
    }

    private async Task DetachAllAsync()
    {
        if (_process!.HasExited)
        {
            await StartAsync();
        }

        foreach (JsonNode? device in (await GetAsync("devices"))["devices"]!.AsArray())
        {
            if ((bool)device!["owned"]!)
            {
                await TrySendAsync(HttpMethod.Delete, $"devices/{(string)device["id"]!}?force=true");
            }
        }
    }

    private async Task<bool> AnswersAsync()
    {
        // On one processor, a request that throws is time that the daemon does not get.
        if (!File.Exists(Socket))
        {
            return false;
        }

        try
        {
            using HttpResponseMessage response = await Http.GetAsync("health");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
