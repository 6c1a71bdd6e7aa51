// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.SnapshotterHost.Configuration;

/// <summary>A value of the configuration is wrong; the message names its field.</summary>
internal sealed class ConfigException(string message) : Exception(message);
