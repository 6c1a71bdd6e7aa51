// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter;

/// <summary>An operation on snapshots failed. Nothing half-done is left behind.</summary>
public sealed class SnapshotException : Exception
{
    /// <summary>Describes a failure.</summary>
    /// <param name="error">Its class.</param>
    /// <param name="message">What failed and why, for the operator, without secrets.</param>
    /// <param name="innerException">The cause; <see langword="null"/> for none.</param>
    public SnapshotException(SnapshotError error, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
    }

    /// <summary>Gets the class of the failure.</summary>
    public SnapshotError Error { get; }

    internal static SnapshotException Invalid(string message) => new(SnapshotError.InvalidArgument, message);

    internal static SnapshotException NotFound(string name) => new(SnapshotError.NotFound, $"snapshot {Printable(name)} does not exist");

    internal static SnapshotException Exists(string message) => new(SnapshotError.AlreadyExists, message);

    internal static SnapshotException Precondition(string message, Exception? cause = null) =>
        new(SnapshotError.FailedPrecondition, message, cause);

    /// <summary>A text of the caller's as it may stand in a message and in a log: short, on one line.</summary>
    internal static string Printable(string text)
    {
        const int Longest = 256;
        string start = text.Length > Longest ? text[..Longest] + "…" : text;
        return string.Create(start.Length, start, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }
}
