// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Daemons;

/// <summary>Another daemon listens where this one is to.</summary>
internal sealed class SocketInUseException(string path) : IOException($"Another daemon listens on {path}.");
