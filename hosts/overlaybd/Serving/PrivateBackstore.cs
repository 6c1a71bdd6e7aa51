// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>Starts a server for one device. It ends with its device; or with this object, when it never got one.</summary>
internal sealed class PrivateBackstore : IDisposable
{
    private readonly Process _process;

    private PrivateBackstore(Process process, string socket)
    {
        _process = process;
        Socket = socket;
    }

    public string Socket { get; }

    public static async Task<PrivateBackstore> StartAsync(ServingOptions options, CancellationToken cancellationToken)
    {
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        RunDirectory run = options.RunDirectory;
        ProcessStartInfo start = BackstoreProgram.CreateStartInfo(
            "--private",
            "--socket",
            run.PrivateSocket(id),
            "--run-dir",
            run.Path,
            "--cache-dir",
            options.CacheDirectory,
            "--log-file",
            run.PrivateLog(id),
            "--log-level",
            options.Verbose ? "Debug" : "Information");
        Process process = Process.Start(start)!;
        try
        {
            string? line = await process.StandardOutput.ReadLineAsync(cancellationToken);
            ReadyMessage? message = line is null ? null : JsonSerializer.Deserialize(line, ControlApiJson.Default.ReadyMessage);
            return message switch
            {
                { Socket: { } socket } => new(process, socket),
                { Error: { } error } => throw new BackstoreException(error),
                _ => throw new BackstoreException($"The server ended before it was ready: {ReadComplaint(run.PrivateLog(id))}"),
            };
        }
        catch
        {
            process.StandardInput.Close();
            process.Dispose();
            throw;
        }
    }

    /// <summary>Closes the pipe that keeps a server without a device alive. One with a device goes on.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.Dispose();
    }

    private static string ReadComplaint(string log) =>
        File.Exists(log) && File.ReadLines(log).LastOrDefault(line => line.Length > 0) is { } line ? line.Trim() : "it did not say why.";
}
