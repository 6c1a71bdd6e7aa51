// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>An extended attribute of a file.</summary>
/// <param name="Name">The name with its namespace, for example <c>security.capability</c>; not terminated.</param>
/// <param name="Value">The value; any bytes, possibly none.</param>
internal readonly record struct ExtendedAttribute(byte[] Name, byte[] Value);
