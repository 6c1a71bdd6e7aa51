// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging;

namespace OverlayBd.Images;

/// <summary>The file that tells a snapshotter whether a device could be opened: <c>success</c>, or <c>failed:</c> and why.</summary>
/// <remarks><see cref="OverlayBdImage"/> writes it when it opens a device config. Whoever fails before or after that has to write it too.</remarks>
public static class ResultFile
{
    /// <summary>Writes the outcome as a whole; a reader never sees half of it. A failure is only logged: the device is not worse for
    /// it.</summary>
    /// <param name="path">The path of the file; empty when nobody asked for one, and then nothing is done.</param>
    /// <param name="failure">Why the device could not be opened; <see langword="null"/> when it could.</param>
    /// <param name="logger">Where to log.</param>
    /// <returns>A task that completes when the file is written.</returns>
    public static async ValueTask WriteAsync(string path, Exception? failure, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(logger);
        if (path.Length == 0)
        {
            return;
        }

        string temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            string text = failure is null ? "success" : $"failed:{failure.Message.ReplaceLineEndings(" ")}";

            // Written even when the opening was abandoned: somebody waits for the answer.
            await File.WriteAllTextAsync(temporary, text, CancellationToken.None).ConfigureAwait(false);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ImageLog.ResultFileFailed(logger, e, path);
            if (File.Exists(temporary))
            {
                File.Delete(temporary);
            }
        }
    }
}
