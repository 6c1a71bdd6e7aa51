// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Devices;

/// <summary>What stands behind <c>overlaybd/</c> in a device's <c>dev_config</c> (overlaybd <c>src/main.cpp</c>, <c>dev_open</c>): the path of a
/// device config, and an id behind the first semicolon.</summary>
/// <param name="Path">The path; a relative one is one from the root, where daemons stand.</param>
/// <param name="DeviceId">The id; null when there is none.</param>
internal readonly record struct TcmuConfiguration(string Path, string? DeviceId)
{
    public static TcmuConfiguration Parse(string text)
    {
        int semicolon = text.IndexOf(';', StringComparison.Ordinal);
        string path = semicolon < 0 ? text : text[..semicolon];
        string? id = semicolon < 0 || semicolon == text.Length - 1 ? null : text[(semicolon + 1)..];
        return path.Length == 0
            ? throw new InvalidDataException($"'overlaybd/{text}' names no device config; expected overlaybd/PATH or overlaybd/PATH;ID.")
            : new(System.IO.Path.GetFullPath(path, "/"), id);
    }
}
