// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;
using OverlayBd.Format.Config;
using OverlayBd.Format.Trace;

namespace OverlayBd.Images.Tracing;

/// <summary>What a device config wants done with a trace (overlaybd <c>src/image_file.cpp</c> and <c>src/prefetch.cpp</c>,
/// <c>detect_mode</c>).</summary>
/// <param name="RecordPath">The trace to record from the opening on; <see langword="null"/> for none.</param>
/// <param name="ReplayPath">The trace to replay; <see langword="null"/> for none.</param>
internal readonly record struct TraceSetup(string? RecordPath, string? ReplayPath)
{
    private const string AccelerationFileName = "trace";

    /// <summary>Finds out. An empty file asks for a recording, any other is replayed; what is not there asks for nothing.</summary>
    /// <exception cref="InvalidDataException">The config has both an acceleration layer and a trace of its own.</exception>
    public static TraceSetup Of(DeviceConfig config, ILogger logger)
    {
        if (config.AccelerationLayer)
        {
            if (config.RecordTracePath is not null)
            {
                throw new InvalidDataException("The device config has both an acceleration layer and a trace to record or replay.");
            }

            string? directory = config.Lowers.Count > 0 ? config.Lowers[^1].Directory : null;
            string? path = directory is null ? null : Path.Combine(directory, AccelerationFileName);
            return new TraceSetup(null, path is not null && LengthOf(path) > 0 ? path : null);
        }

        if (config.RecordTracePath is not string trace)
        {
            return default;
        }

        switch (LengthOf(trace))
        {
            case null:
                ImageLog.TraceMissing(logger, trace);
                return default;
            case 0:
                return new TraceSetup(trace, null);
            default:
                return new TraceSetup(null, trace);
        }
    }

    /// <summary>Reads a trace from its file.</summary>
    /// <exception cref="InvalidDataException">It is no trace. A list of files to prefetch, which the original also takes, is named as
    /// such.</exception>
    public static async Task<IReadOnlyList<TraceRecord>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await TraceReader.LoadAsync(path, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e) when (IsList(path))
        {
            throw new InvalidDataException($"'{path}' is a list of files to prefetch; only traces are replayed.", e);
        }
    }

    private static bool IsList(string path)
    {
        Span<byte> start = stackalloc byte[sizeof(uint)];
        using FileStream file = File.OpenRead(path);
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start[..read].IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0;
    }

    private static long? LengthOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : null;
    }
}
