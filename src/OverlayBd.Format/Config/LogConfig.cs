// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The log file (overlaybd <c>src/config.h</c>, <c>LogConfig</c>).</summary>
/// <param name="Level">The least level that is logged: 0 debug, 1 information, 2 warning, 3 error, 4 fatal.</param>
/// <param name="SizeInMiB">The size at which a new log is begun, in MiB.</param>
/// <param name="RotatedFiles">How many older logs are kept, 30 at most.</param>
public sealed record LogConfig(
    [property: JsonPropertyName("logLevel")] int Level = 1,
    [property: JsonPropertyName("logSizeMB")] int SizeInMiB = 10,
    [property: JsonPropertyName("logRotateNum")] int RotatedFiles = 3)
{
    /// <summary>Gets the path of the log; empty for the older keys of <see cref="ServiceConfig"/>, which say standard output when they are
    /// empty too.</summary>
    [JsonPropertyName("logPath")]
    [AllowNull]
    public string Path { get; init => field = value ?? ""; } = "";
}
