// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.CommandLine;

/// <summary>A verb failed for a reason that a person can read: what, where, why, and what to try.</summary>
internal sealed class CommandException : Exception
{
    /// <param name="message">What failed, where and why, as sentences.</param>
    /// <param name="advice">What to try; null when there is nothing to say.</param>
    /// <param name="cause">What it comes from, shown with --verbose.</param>
    public CommandException(string message, string? advice = null, Exception? cause = null)
        : base(message, cause) => Advice = advice;

    public string? Advice { get; }
}
