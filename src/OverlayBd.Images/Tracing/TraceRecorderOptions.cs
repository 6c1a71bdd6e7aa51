// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Trace;

namespace OverlayBd.Images.Tracing;

/// <summary>What a <see cref="TraceRecorder"/> writes and how much. Read once, when the recording starts.</summary>
public sealed class TraceRecorderOptions
{
    /// <summary>The default of <see cref="MaxRecords"/>.</summary>
    public const int DefaultMaxRecords = 1024 * 1024;

    /// <summary>Gets or sets the path of the trace. What is there stays until the recording has ended, and is then replaced as a
    /// whole.</summary>
    public required string Path { get; set; }

    /// <summary>Gets or sets how many reads are recorded; later ones are only counted.</summary>
    /// <value>Default 1 048 576, which makes a file of 24 MiB; 4 194 304 at most.</value>
    public int MaxRecords { get; set; } = DefaultMaxRecords;

    /// <summary>Gets or sets whether the recording follows the protocol of the original's <c>record-trace</c>.</summary>
    /// <value>Default <see langword="false"/>.</value>
    /// <remarks>There is then a file <c>PATH.lock</c> while it records; when somebody removes that, it ends. Once the trace is written
    /// there
    /// is a file <c>PATH.ok</c>.</remarks>
    public bool UseMarkerFiles { get; set; }

    /// <summary>Gets or sets how often the lock file is looked for.</summary>
    /// <value>Default one second, as the original does.</value>
    public TimeSpan MarkerInterval { get; set; } = TimeSpan.FromSeconds(1);

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Path);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRecords, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxRecords, TraceReader.MaxRecords);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(MarkerInterval, TimeSpan.Zero);
    }
}
