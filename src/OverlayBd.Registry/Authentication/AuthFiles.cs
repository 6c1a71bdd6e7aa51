// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>Finds the files in which other programs keep their credentials.</summary>
public static class AuthFiles
{
    /// <summary>Finds the user's credentials as skopeo and docker do.</summary>
    /// <returns>
    /// The first that exists of <c>$REGISTRY_AUTH_FILE</c>, <c>$XDG_RUNTIME_DIR/containers/auth.json</c>,
    /// <c>$DOCKER_CONFIG/config.json</c> and <c>~/.docker/config.json</c>; or <see langword="null"/>.
    /// </returns>
    public static string? FindDefault()
    {
        string?[] candidates =
        [
            Environment.GetEnvironmentVariable("REGISTRY_AUTH_FILE"),
            Below(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "containers/auth.json"),
            Below(Environment.GetEnvironmentVariable("DOCKER_CONFIG"), "config.json"),
            Below(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker/config.json"),
        ];
        return Array.Find(candidates, File.Exists);
    }

    private static string? Below(string? directory, string path) => string.IsNullOrEmpty(directory) ? null : Path.Combine(directory, path);
}
