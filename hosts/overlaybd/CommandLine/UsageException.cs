// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.CommandLine;

/// <summary>The arguments were understood one by one, but make no sense together.</summary>
/// <param name="message">Which, and why.</param>
internal sealed class UsageException(string message) : Exception(message);
