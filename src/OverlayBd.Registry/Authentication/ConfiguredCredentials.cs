// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Authentication;

/// <summary>The credentials that the options name, in their order: a provider, one user for all, a file.</summary>
internal sealed class ConfiguredCredentials(RegistryClientOptions options) : ICredentialProvider
{
    private readonly ICredentialProvider? _provider = options.CredentialProvider;
    private readonly RegistryCredential? _user =
        string.IsNullOrEmpty(options.UserName) ? null : new RegistryCredential(options.UserName, options.Password ?? "");
    private readonly AuthFileCredentials? _file = string.IsNullOrEmpty(options.AuthFile)
        ? null
        : new AuthFileCredentials(options.AuthFile, new CredentialHelper(options.TimeProvider, CredentialHelper.DefaultLimit));

    public async ValueTask<RegistryCredential?> GetCredentialAsync(
        string registry, string repository, CancellationToken cancellationToken = default)
    {
        RegistryCredential? credential = _provider is null
            ? null
            : await _provider.GetCredentialAsync(registry, repository, cancellationToken).ConfigureAwait(false);
        credential ??= _user;
        return credential is not null || _file is null
            ? credential
            : await _file.GetCredentialAsync(registry, repository, cancellationToken).ConfigureAwait(false);
    }
}
