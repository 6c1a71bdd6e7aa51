// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore;

/// <summary>What a server was started with.</summary>
internal sealed record BackstoreOptions
{

    public required RunDirectory RunDirectory { get; init; }

    /// <summary>The control socket to listen on.</summary>
    public required string Socket { get; init; }

    /// <summary>Where fetched blocks are kept.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>The size that the cache is kept under, in bytes.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Serves one device, for the program that started it, and ends with that device.</summary>
    public bool Private { get; init; }

    /// <summary>Where a private server logs to once it has told that it is ready.</summary>
    public string? LogFile { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>Checks that the server could start with these options.</summary>
    /// <returns>The first wrong value as a sentence that names its option; null when there is none.</returns>
    public string? FindFault()
    {
        const int LongestSocketPath = 107;
        if (Socket.Length > LongestSocketPath)
        {
            return $"--socket: {Socket} is longer than the {LongestSocketPath} bytes a unix socket may have.";
        }

        if (CacheBytes < 64L << 20)
        {
            return $"--cache-size: {CacheBytes} bytes are too few; the least is 64 MiB.";
        }

        if (File.Exists(CacheDirectory))
        {
            return $"--cache-dir: {CacheDirectory} is a file.";
        }

        return File.Exists(RunDirectory.Path) ? $"--run-dir: {RunDirectory.Path} is a file." : null;
    }
}
