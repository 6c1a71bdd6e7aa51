// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Downloading;

/// <summary>What a <see cref="BackgroundDownload"/> has done so far.</summary>
/// <param name="Layers">The layers to be downloaded.</param>
/// <param name="CompletedLayers">The layers that are read from their local file now.</param>
/// <param name="FailedLayers">The layers that were given up.</param>
/// <param name="FailedTries">The tries that failed.</param>
/// <param name="DownloadedBytes">The bytes fetched.</param>
/// <param name="ResumedBytes">The bytes that an earlier download had stored.</param>
public readonly record struct BackgroundDownloadStatistics(
    int Layers, int CompletedLayers, int FailedLayers, int FailedTries, long DownloadedBytes, long ResumedBytes);
