// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Format.Trace;

namespace OverlayBd.Cli.Containerd;

/// <summary>The file that a device records its trace into, with the markers beside it. All of it goes with this object.</summary>
/// <remarks>
/// An empty file asks for a recording (overlaybd src/prefetch.cpp). The device that records makes <c>.lock</c>; who takes that away
/// ends the recording; <c>.ok</c> tells that the trace is written.
/// </remarks>
internal sealed class TraceFile : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private TraceFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>Where the container's output goes.</summary>
    public string OutputPath => Path + ".out";

    private string LockPath => Path + ".lock";

    private string CompletedPath => Path + ".ok";

    /// <summary>Makes the empty file in a directory, which is made when it is missing.</summary>
    public static TraceFile Create(string directory)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(directory, OwnerOnly);
        string random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2));
        string name = string.Create(CultureInfo.InvariantCulture, $"record-trace-{DateTime.UtcNow:yyyyMMddHHmmss}-{random}");
        string path = System.IO.Path.Combine(System.IO.Path.GetFullPath(directory), name);
        new FileStream(path, FileMode.CreateNew, FileAccess.Write).Dispose();
        return new(path);
    }

    /// <summary>Fails unless a device is recording, or has recorded.</summary>
    public void RequireRecording(string image)
    {
        if (!File.Exists(LockPath) && !File.Exists(CompletedPath))
        {
            throw new CommandException(
                $"No device records {image}: there is no {LockPath}.",
                "a snapshotter that is overlaybd's, with the image not in use: its device records from when it is attached.");
        }
    }

    /// <summary>Ends the recording and waits for the trace.</summary>
    /// <returns>How many reads were recorded.</returns>
    /// <exception cref="CommandException">The trace was not written in time, or holds nothing.</exception>
    public async Task<int> CollectAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        File.Delete(LockPath);
        long started = TimeProvider.System.GetTimestamp();
        while (!File.Exists(CompletedPath))
        {
            if (TimeProvider.System.GetElapsedTime(started) > limit)
            {
                throw new CommandException(
                    $"The trace was not written within {limit.TotalSeconds} seconds.", "the log of the backstore, or a longer --time.");
            }

            await Task.Delay(s_interval, cancellationToken);
        }

        IReadOnlyList<TraceRecord> records = await TraceReader.LoadAsync(Path, cancellationToken);
        return records.Count > 0
            ? records.Count
            : throw new CommandException(
                "The trace is empty: nothing was read of the image.", "a --time long enough for the container to start.");
    }

    public void Dispose()
    {
        foreach (string path in (string[])[Path, LockPath, CompletedPath, OutputPath])
        {
            File.Delete(path);
        }
    }
}
