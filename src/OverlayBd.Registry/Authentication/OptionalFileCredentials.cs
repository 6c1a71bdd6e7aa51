// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>A file with credentials that need not be there.</summary>
internal sealed class OptionalFileCredentials(string path, ICredentialProvider file) : ICredentialProvider
{
    public ValueTask<RegistryCredential?> GetCredentialAsync(string registry, string repository, CancellationToken cancellationToken = default) =>
        File.Exists(path) ? file.GetCredentialAsync(registry, repository, cancellationToken) : new((RegistryCredential?)null);
}
