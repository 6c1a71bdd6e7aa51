// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Containerd;

/// <summary>Which containerd is meant, and how long it may take.</summary>
/// <param name="SocketPath">The path of its socket.</param>
/// <param name="Namespace">The namespace of images, content and containers.</param>
/// <param name="ConnectTimeout">How long the connection may take.</param>
/// <param name="Timeout">How long the whole verb may take; null for as long as it needs.</param>
internal sealed record ContainerdSettings(string SocketPath, string Namespace, TimeSpan ConnectTimeout, TimeSpan? Timeout);
