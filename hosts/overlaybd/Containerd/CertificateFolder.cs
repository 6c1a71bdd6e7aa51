// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>Certificates that were named one by one, as the directory that a registry client reads. It goes with this object.</summary>
internal sealed class CertificateFolder : IDisposable
{
    private CertificateFolder(string path) => Path = path;

    public string Path { get; }

    /// <returns>The folder; null when nothing is named.</returns>
    /// <exception cref="UsageException">A file does not exist.</exception>
    public static CertificateFolder? Create(FileInfo? authority, FileInfo? certificate, FileInfo? key)
    {
        (FileInfo? File, string Name)[] files = [(authority, "ca.crt"), (certificate, "client.cert"), (key, "client.key")];
        if (Array.TrueForAll(files, file => file.File is null))
        {
            return null;
        }

        CertificateFolder folder = new(Directory.CreateTempSubdirectory("overlaybd-certificates-").FullName);
        foreach ((FileInfo? file, string name) in files)
        {
            if (file is { Exists: false })
            {
                folder.Dispose();
                throw new UsageException($"{file.FullName} does not exist.");
            }

            if (file is not null)
            {
                File.CreateSymbolicLink(System.IO.Path.Combine(folder.Path, name), file.FullName);
            }
        }

        return folder;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
