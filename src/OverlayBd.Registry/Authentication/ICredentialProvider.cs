// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>Knows the credentials of registries.</summary>
public interface ICredentialProvider
{
    /// <summary>Looks up the credential for a repository.</summary>
    /// <param name="registry">The registry as <c>HOST[:PORT]</c>; <c>docker.io</c> for Docker Hub.</param>
    /// <param name="repository">The repository, such as <c>library/redis</c>.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>The credential, or <see langword="null"/> for none.</returns>
    /// <exception cref="RegistryException">The credentials cannot be read (<see cref="RegistryError.Credentials"/>).</exception>
    /// <exception cref="OperationCanceledException">The call was abandoned.</exception>
    ValueTask<RegistryCredential?> GetCredentialAsync(string registry, string repository, CancellationToken cancellationToken = default);
}
