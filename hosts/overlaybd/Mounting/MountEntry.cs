// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Mounting;

/// <summary>One line of the mount table.</summary>
/// <param name="Target">The path it is mounted on.</param>
/// <param name="Type">The type of the file system.</param>
/// <param name="Source">The device, for a file system on one.</param>
internal sealed record MountEntry(string Target, string Type, string Source);
