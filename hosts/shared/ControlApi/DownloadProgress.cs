// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>How far the background download of a device's layers is.</summary>
/// <param name="Layers">The layers to be downloaded.</param>
/// <param name="CompletedLayers">Those that are read from their local file now.</param>
/// <param name="FailedLayers">Those that were given up.</param>
/// <param name="DownloadedBytes">The bytes fetched for it.</param>
internal sealed record DownloadProgress(int Layers, int CompletedLayers, int FailedLayers, long DownloadedBytes);
