// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>What failed, and why, outermost cause first.</summary>
internal sealed record BackstoreError(string Code, string Message, IReadOnlyList<string>? Cause);
