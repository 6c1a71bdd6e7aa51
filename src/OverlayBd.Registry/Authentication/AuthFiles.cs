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

    /// <summary>Looks credentials up in a file, which is read again whenever it has changed.</summary>
    /// <param name="path">A docker <c>config.json</c>, an <c>auth.json</c>, or upstream's <c>cred.json</c>.</param>
    /// <param name="optional">Whether the file may be missing, now and then; it then has no credentials.</param>
    /// <returns>The file's credentials.</returns>
    public static ICredentialProvider Open(string path, bool optional)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new AuthFileCredentials(path, new CredentialHelper(TimeProvider.System, CredentialHelper.DefaultLimit));
        return optional ? new OptionalFileCredentials(path, file) : file;
    }

    private static string? Below(string? directory, string path) => string.IsNullOrEmpty(directory) ? null : Path.Combine(directory, path);
}
