// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>How the certificate of a server is judged and which one it is shown.</summary>
internal sealed record TlsSettings(bool Verify, IReadOnlyList<string> RootFiles, IReadOnlyList<ClientCertificateFiles> ClientCertificates)
{
    public static readonly TlsSettings Default = new(true, [], []);

    /// <summary>Reads a directory in docker's form: <c>*.crt</c> are roots, <c>*.cert</c> with <c>*.key</c> client certificates.</summary>
    /// <exception cref="RegistryException">The directory cannot be read, or a certificate has no key.</exception>
    public static TlsSettings FromDirectory(string directory, bool verify)
    {
        try
        {
            string[] roots = Directory.GetFiles(directory, "*.crt");
            ClientCertificateFiles[] clients =
                [.. Directory.GetFiles(directory, "*.cert")
                    .Select(file => new ClientCertificateFiles(file, Path.ChangeExtension(file, ".key")))];
            return Array.Find(clients, client => !File.Exists(client.Key)) is ClientCertificateFiles lone
                ? throw new RegistryException(
                    RegistryError.Tls, $"The client certificate {lone.Certificate} has no key; expected {lone.Key}.")
                : new TlsSettings(verify, roots, clients);
        }
        catch (Exception error) when (error is IOException and not RegistryException or UnauthorizedAccessException)
        {
            throw new RegistryException(
                RegistryError.Tls, $"The certificates in {directory} cannot be read: {error.Message}", innerException: error);
        }
    }
}
