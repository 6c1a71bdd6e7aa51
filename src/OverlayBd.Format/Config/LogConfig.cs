// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The log file (overlaybd <c>src/config.h</c>, <c>LogConfig</c>).</summary>
public sealed record LogConfig
{
    /// <summary>Gets the least level that is logged: 0 debug, 1 information, 2 warning, 3 error, 4 fatal.</summary>
    [JsonPropertyName("logLevel")]
    public int Level { get; init; } = 1;

    /// <summary>Gets the path of the log; empty for the older keys of <see cref="ServiceConfig"/>, which say standard output when they are empty too.</summary>
    [JsonPropertyName("logPath")]
    [AllowNull]
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the size at which a new log is begun, in MiB.</summary>
    [JsonPropertyName("logSizeMB")]
    public int SizeInMiB { get; init; } = 10;

    /// <summary>Gets how many older logs are kept, 30 at most.</summary>
    [JsonPropertyName("logRotateNum")]
    public int RotatedFiles { get; init; } = 3;
}
