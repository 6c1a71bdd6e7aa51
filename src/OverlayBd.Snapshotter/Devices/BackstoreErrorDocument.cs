// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>The body of every answer that is not a success.</summary>
internal sealed record BackstoreErrorDocument(BackstoreError Error);
