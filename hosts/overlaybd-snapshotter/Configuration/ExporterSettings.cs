// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.SnapshotterHost.Configuration;

/// <summary>Where Prometheus finds the metrics.</summary>
internal sealed record ExporterSettings(bool Enable, string UriPrefix, int Port)
{
    public const string DefaultPrefix = "/metrics";
    public const int DefaultPort = 9863;
}
