// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>How remote layers are downloaded as a whole while a device is in use (overlaybd <c>src/config.h</c>,
/// <c>DownloadConfig</c>).</summary>
/// <param name="Enable">Whether layers are downloaded.</param>
/// <param name="DelayInSeconds">How long a device is open before its layers are downloaded, in seconds.</param>
/// <param name="ExtraDelayInSeconds">The upper bound of a random time added to the delay, in seconds.</param>
/// <param name="MaxMiBPerSecond">The most that is downloaded each second, in MiB; no limit when it is not positive.</param>
/// <param name="Tries">How often a layer is tried.</param>
/// <param name="BlockSize">How much is downloaded at a time, in bytes.</param>
public sealed record DownloadConfig(
    [property: JsonPropertyName("enable")] bool Enable = false,
    [property: JsonPropertyName("delay")] int DelayInSeconds = 300,
    [property: JsonPropertyName("delayExtra")] int ExtraDelayInSeconds = 30,
    [property: JsonPropertyName("maxMBps")] int MaxMiBPerSecond = 100,
    [property: JsonPropertyName("tryCnt")] int Tries = 5,
    [property: JsonPropertyName("blockSize")] int BlockSize = 256 * 1024);
