// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;
using OverlayBd.Format.Config;

namespace OverlayBd.Backstore;

/// <summary>What a server was started with: its command line, over its configuration file, over the defaults.</summary>
internal sealed record BackstoreOptions
{
    public required RunDirectory RunDirectory { get; init; }

    /// <summary>The control socket to listen on.</summary>
    public required string Socket { get; init; }

    /// <summary>Where fetched blocks are kept.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>The size that the cache is kept under, in bytes.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>How devices are shown to the kernel: one of <see cref="FrontEnds"/>.</summary>
    public string FrontEnd { get; init; } = FrontEnds.Auto;

    /// <summary>What the configuration file says; its defaults when there is none.</summary>
    public ServiceConfig Config { get; init; } = new();

    /// <summary>The configuration file; null when the server was started without one.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Serves one device, for the program that started it, and ends with that device.</summary>
    public bool Private { get; init; }

    /// <summary>Where a private server logs to once it has told that it is ready.</summary>
    public string? LogFile { get; init; }

    /// <summary>The least that is logged; null for what the configuration says, or for the default.</summary>
    public LogLevel? LogLevel { get; init; }

    /// <summary>After how long a request that is stuck fails. What is called "never" is so long that nobody waits for it.</summary>
    public TimeSpan RequestTimeout => Config.Backstore.RequestTimeoutInSeconds is > 0 and int seconds
        ? TimeSpan.FromSeconds(seconds)
        : TimeSpan.FromDays(3650);

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

        if (!FrontEnds.IsKnown(FrontEnd))
        {
            return $"--device: {FrontEnd} is not known; expected auto, tcmu or fuse.";
        }

        if (Private && FrontEnd == FrontEnds.Tcmu)
        {
            return "--device: a private server has no TCMU devices, which belong to the one daemon of a machine.";
        }

        if (File.Exists(CacheDirectory))
        {
            return $"--cache-dir: {CacheDirectory} is a file.";
        }

        return File.Exists(RunDirectory.Path) ? $"--run-dir: {RunDirectory.Path} is a file." : null;
    }
}
